//! PO and FB: a policy with a fallback around it, and calls that get their permit.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::bulkhead::Permit;
use seaworthy::observe::FallbackEvent;
use seaworthy::policy::Class;
use seaworthy::{Backoff, BoxError, Event, Fallback, Policy, Rejected, StackError, State};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use crate::support::{SECOND, advance};

fn policy() -> Policy {
    Policy::builder("quotes")
        .circuit_breaker(|circuit_breaker| circuit_breaker.consecutive_failures(4))
        .bulkhead(|bulkhead| bulkhead.limit(1))
        .timeout(SECOND)
        .retry(|retry| retry.attempts(2).backoff(Backoff::constant(Duration::ZERO)).no_budget())
        .build()
        .unwrap()
}

/// FB-02, FB-12: as a layer and as a call, a rejection by any part is answered by the fallback, after the last attempt;
/// the backend's own error is not, and all the policy's parts see what they would without it.
#[tokio::test(start_paused = true)]
async fn fb_12_around_a_policy() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let fallback = Fallback::value("last quotes", "old")
        .observer(move |event: &Event<'_>| match event {
            Event::Fallback(FallbackEvent::FellBack { name, error, .. }) => {
                heard.lock().unwrap().push(format!("{name}: {error}"))
            }
            other => panic!("not a fallback's: {other:?}"),
        })
        .build()
        .unwrap();
    for is_layer in [true, false] {
        let (policy, calls) = (policy(), Arc::new(AtomicU32::new(0)));
        let backend = {
            let calls = Arc::clone(&calls);
            move |hangs: bool| {
                calls.fetch_add(1, Ordering::Relaxed);
                async move {
                    if hangs { std::future::pending().await } else { Err::<&'static str, BoxError>("down".into()) }
                }
            }
        };
        let service =
            ServiceBuilder::new().layer(policy.layer().fallback(fallback.clone())).service(service_fn(backend.clone()));
        let call = async |hangs: bool| {
            if is_layer {
                service.clone().ready().await?.call(hangs).await
            } else {
                policy.with(Class::new()).fallback(&fallback).run(|| backend(hangs)).await
            }
        };

        // The backend's own error goes to the caller, after two attempts.
        assert_eq!(call(false).await.unwrap_err().to_string(), "down");
        assert_eq!((calls.load(Ordering::Relaxed), told.lock().unwrap().len()), (2, 0));
        // Two attempts time out, which makes four failures in a row: the circuit opens, and the fallback answers once.
        assert_eq!(call(true).await.unwrap(), "old");
        assert_eq!((calls.load(Ordering::Relaxed), policy.circuit_breaker().unwrap().state()), (4, State::Open));
        assert_eq!(std::mem::take(&mut *told.lock().unwrap()), ["last quotes: timeout `quotes`: timed out after 1s"]);
        // Open: the backend is left alone.
        assert_eq!(call(false).await.unwrap(), "old");
        assert_eq!(calls.load(Ordering::Relaxed), 4);
        assert_eq!(std::mem::take(&mut *told.lock().unwrap()), ["last quotes: circuit `quotes` is open"]);
        // Full.
        policy.circuit_breaker().unwrap().reset();
        let permit = policy.bulkhead().unwrap().try_acquire().unwrap();
        assert_eq!(call(false).await.unwrap(), "old");
        assert_eq!(std::mem::take(&mut *told.lock().unwrap()), ["last quotes: bulkhead `quotes` is full"]);
        drop(permit);
        assert_eq!(policy.bulkhead().unwrap().available(), 1);
    }
}

/// PO-04: a call that gets its permit keeps it for as long as it likes, even in what it returns, and nothing else
/// releases it. Its verdict and its timeout are those of any call.
#[tokio::test(start_paused = true)]
async fn po_04_a_slot_that_outlives_the_call() {
    let policy = policy();
    let bulkhead = policy.bulkhead().unwrap();
    let call = || policy.with(Class::new().without_retry());

    let (line, permit) = call().run_with_permit(async |permit| Ok::<_, BoxError>(("line", permit))).await.unwrap();
    assert_eq!((line, bulkhead.in_use(), bulkhead.available()), ("line", 1, 0));
    let full = call().run_with_permit(async |_| Ok::<_, BoxError>(())).await.unwrap_err();
    assert!(matches!(full.rejected(), Some(Rejected::BulkheadFull { .. })));
    drop(permit);
    assert_eq!(bulkhead.available(), 1);

    // One that does not keep it releases it at its end, even with an error or a panic.
    assert!(call().run_with_permit(async |_permit| Err::<(), BoxError>("no".into())).await.is_err());
    assert_eq!(bulkhead.available(), 1);
    let panics = tokio::spawn({
        let policy = policy.clone();
        async move {
            policy
                .with(Class::new())
                .run_with_permit(async |_permit| -> Result<(), BoxError> { panic!("it was asked to") })
                .await
        }
    });
    assert!(panics.await.unwrap_err().is_panic());
    assert_eq!(bulkhead.available(), 1);
    assert_eq!(policy.circuit_breaker().unwrap().snapshot().counts.consecutive_failures, 2, "an error and a panic");

    // The opening times out: the permit comes back with the future.
    let hangs = call().run_with_permit(async |_permit| std::future::pending::<Result<(), BoxError>>().await);
    assert!(matches!(hangs.await.unwrap_err().rejected(), Some(Rejected::TimedOut { .. })));
    assert_eq!(bulkhead.available(), 1);

    // Dropped half-way.
    let mut hangs =
        Box::pin(call().run_with_permit(async |_permit| std::future::pending::<Result<(), BoxError>>().await));
    assert!(futures_are_pending(&mut hangs));
    assert_eq!(bulkhead.available(), 0);
    drop(hangs);
    assert_eq!(bulkhead.available(), 1);

    policy.circuit_breaker().unwrap().reset();
    // Each attempt has its own permit, and none is left behind.
    let seen = Mutex::new(0);
    let retried = policy.with(Class::new()).run_with_permit(|permit: Option<Permit>| {
        *seen.lock().unwrap() += u32::from(permit.is_some());
        async { Err::<(), BoxError>("no".into()) }
    });
    assert!(retried.await.is_err());
    assert_eq!((*seen.lock().unwrap(), bulkhead.available()), (2, 1));

    // Without a bulkhead on the way there is none to hand out.
    policy.circuit_breaker().unwrap().reset();
    let none = policy
        .with(Class::new().without_bulkhead())
        .run_with_permit(async |permit| Ok::<_, BoxError>(permit.is_none()));
    assert!(none.await.unwrap());
    advance(SECOND).await;
}

fn futures_are_pending<F: Future + Unpin>(future: &mut F) -> bool {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    std::pin::Pin::new(future).poll(&mut context).is_pending()
}
