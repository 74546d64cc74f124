use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::Ordering;

use seaworthy::circuit_breaker::CircuitBreakerService;
use seaworthy::retry::{CloneReplay, ResponseFuture, RetryBuilder, RetryErrors, RetryLayer, RetryService, StopReason};
use seaworthy::{BoxError, CircuitBreaker, Rejected, RetryBudget, RetryPolicy, StackError, State, Verdict};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use tower::buffer::Buffer;
use tower::load_shed::LoadShed;
use tower::{Layer, Service, ServiceExt, service_fn};

use super::{Flaky, Told, quick};
use crate::support::settle;

assert_impl_all!(RetryPolicy: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Clone);
assert_impl_all!(RetryBudget: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Clone);
assert_impl_all!(RetryBuilder: Send, Sync, Clone);
assert_impl_all!(RetryLayer: Send, Sync, Clone);
assert_impl_all!(RetryService<CircuitBreakerService<Flaky>>: Send, Sync, Clone);
assert_impl_all!(ResponseFuture<Flaky, (), RetryErrors, CloneReplay>: Send, Sync, Unpin);
assert_not_impl_any!(ResponseFuture<Flaky, std::rc::Rc<()>, RetryErrors, CloneReplay>: Send);

/// In the recommended order: each attempt is judged by the circuit breaker, and once that is open the retrying ends,
/// the backend untouched.
#[tokio::test]
async fn around_a_circuit() {
    let told = Told::default();
    let circuit_breaker = CircuitBreaker::builder("below").consecutive_failures(3).build().unwrap();
    let policy = told.by(quick(10)).build().unwrap();
    let (service, calls) = Flaky::new(u32::MAX);
    let service = policy.layer().layer(circuit_breaker.layer().layer(service));

    let error = service.clone().oneshot(()).await.unwrap_err();
    assert!(matches!(error.rejected(), Some(Rejected::CircuitOpen { .. })));
    assert_eq!((calls.load(Ordering::Relaxed), circuit_breaker.state()), (3, State::Open));
    assert_eq!(told.stops(), [(4, StopReason::NotRetryable)]);

    service.oneshot(()).await.unwrap_err();
    assert_eq!(calls.load(Ordering::Relaxed), 3);
    assert_eq!(told.stops(), [(1, StopReason::NotRetryable)]);
}

/// In the other order, which does no harm: a circuit breaker around the retry sees one call and one verdict.
#[tokio::test]
async fn inside_a_circuit() {
    let circuit_breaker = CircuitBreaker::builder("above").consecutive_failures(2).build().unwrap();
    let (service, calls) = Flaky::new(2);
    let service = circuit_breaker.layer().layer(quick(3).build().unwrap().layer().layer(service));
    service.oneshot(()).await.unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 3);
    settle(&circuit_breaker, &[Verdict::Failure]);
    assert_eq!(circuit_breaker.state(), State::Closed);
}

/// A `Buffer` and a `LoadShed` around the retry survive failures, and so does a `Buffer` inside it.
#[tokio::test]
async fn around_and_inside_of_towers_layers() {
    let (service, calls) = Flaky::new(3);
    let inner: Buffer<(), _> = Buffer::new(service, 4);
    let retry = quick(3).build().unwrap().layer().layer(inner);
    let mut outer = LoadShed::new(Buffer::new(retry, 4));
    assert!(ServiceExt::<()>::ready(&mut outer).await.unwrap().call(()).await.is_err());
    assert_eq!(calls.load(Ordering::Relaxed), 3);
    assert_eq!(ServiceExt::<()>::ready(&mut outer).await.unwrap().call(()).await.unwrap(), 4);
}

/// `layer()` called several times, as a router does for its routes, is one budget.
#[tokio::test]
async fn one_budget_for_all_routes() {
    let budget = RetryBudget::builder().floor(1).refill_per_second(0).build().unwrap();
    let layer = quick(2).budget(budget).build().unwrap().layer();
    let [one, two] = [(); 2].map(|()| layer.clone().layer(Flaky::new(1).0));
    one.oneshot(()).await.unwrap();
    two.oneshot(()).await.unwrap_err();
}

/// A budget on a real runtime with threads: never more retries than it gives.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks() {
    let told = Told::default();
    let budget = RetryBudget::builder().ratio(0.2).floor(5).refill_per_second(0).build().unwrap();
    let policy = told.by(quick(3)).budget(budget).build().unwrap();
    let service = service_fn(|()| async { Err::<(), BoxError>("no".into()) });
    let tasks: Vec<_> = (0..500).map(|_| tokio::spawn(policy.layer().layer(service).oneshot(()))).collect();
    for task in tasks {
        task.await.unwrap().unwrap_err();
    }
    let retries = told.delays().len();
    assert_eq!(retries, 105);
}
