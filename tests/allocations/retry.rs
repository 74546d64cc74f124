//! What a retry allocates: nothing, unless it waits.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use seaworthy::{Backoff, CircuitBreaker, Error, RetryPolicy, WrapErrorLayer};
use tower::{Layer, Service, service_fn};

use crate::allocations;

type Outcome = Result<(), Error<&'static str>>;

/// Allocations of one call after the first, from readiness to the drop of the future.
fn of_one_call<S>(service: &mut S, request: Result<(), &'static str>) -> (Outcome, u64)
where
    S: Service<Result<(), &'static str>, Response = (), Error = Error<&'static str>>,
{
    let mut cx = Context::from_waker(Waker::noop());
    let mut call = || {
        let Poll::Ready(ready) = service.poll_ready(&mut cx) else { panic!("always ready") };
        ready?;
        let Poll::Ready(outcome) = pin!(service.call(request)).poll(&mut cx) else { panic!("ends at once") };
        outcome
    };
    let _warm = call();
    let mut outcome = None;
    let count = allocations(|| outcome = Some(call()));
    (outcome.unwrap(), count)
}

/// RT-01, RT-03, RT-08, RT-15: only a call that waits allocates.
#[test]
fn only_who_waits_allocates() {
    let echo = || service_fn(|result: Result<(), &'static str>| std::future::ready(result));
    let circuit_breaker = CircuitBreaker::builder("inner").build().unwrap();
    let stack =
        |policy: RetryPolicy| policy.layer().layer(circuit_breaker.layer().layer(WrapErrorLayer::new().layer(echo())));
    let quick = |attempts| {
        let builder = RetryPolicy::builder("test").attempts(attempts);
        builder.backoff(Backoff::constant(Duration::ZERO)).deadline(Duration::from_secs(60)).build().unwrap()
    };

    // RT-01: a first attempt that succeeds, with a budget and a deadline.
    assert_eq!(of_one_call(&mut stack(quick(3)), Ok(())), (Ok(()), 0));
    // RT-15: retries without a wait, each paid for.
    let mut plain = quick(3).layer().layer(WrapErrorLayer::new().layer(echo()));
    assert_eq!(of_one_call(&mut plain, Err("no")), (Err(Error::Inner("no")), 0));
    // RT-08: an empty budget.
    let mut poor = quick(100).layer().layer(WrapErrorLayer::new().layer(echo()));
    assert_eq!(of_one_call(&mut poor, Err("no")), (Err(Error::Inner("no")), 0));
    // RT-03: a rejection from below.
    circuit_breaker.force_open();
    let (outcome, count) = of_one_call(&mut stack(quick(3)), Ok(()));
    assert!(matches!(outcome, Err(Error::Rejected(_))));
    assert_eq!(count, 0);

    // The opposite: a wait allocates a timer, which shows that the counting works.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    let backoff = Backoff::constant(Duration::from_secs(1));
    let policy = RetryPolicy::builder("waits").backoff(backoff).build().unwrap();
    let mut waits = policy.layer().layer(WrapErrorLayer::new().layer(echo()));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Service::<Result<(), &str>>::poll_ready(&mut waits, &mut cx).is_ready());
    let mut call = pin!(waits.call(Err("no")));
    assert!(allocations(|| assert!(call.as_mut().poll(&mut cx).is_pending())) >= 1);
}
