//! Calls that are dropped and calls that panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use seaworthy::circuit_breaker::CircuitBreakerBuilder;
use seaworthy::{BoxError, CircuitBreaker, Error, OnDrop, State};
use tower::{Service, ServiceExt, service_fn};

use crate::support::{MS, SECOND, advance};

fn builder() -> CircuitBreakerBuilder {
    CircuitBreaker::builder("drops").consecutive_failures(1)
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// A call through the layer that was polled once and hangs.
async fn hang_and_drop(circuit_breaker: &CircuitBreaker, ran: Duration) {
    let hang = service_fn(|()| std::future::pending::<Result<(), BoxError>>());
    let mut service = tower::Layer::layer(&circuit_breaker.layer(), hang);
    let mut call = Box::pin(service.ready().await.unwrap().call(()));
    assert!(poll(call.as_mut()).is_pending());
    advance(ran).await;
    drop(call);
}

/// CB-15: A dropped call counts as nothing by default.
#[tokio::test(start_paused = true)]
async fn cb_15_ignored_by_default() {
    let circuit_breaker = builder().build().unwrap();
    hang_and_drop(&circuit_breaker, 3600 * SECOND).await;
    drop(circuit_breaker.admit().unwrap());
    assert_eq!(circuit_breaker.state(), State::Closed);
}

/// CB-15: Or as a failure.
#[tokio::test(start_paused = true)]
async fn cb_15_a_failure_if_asked_for() {
    let circuit_breaker = builder().on_drop(OnDrop::Failure).build().unwrap();
    hang_and_drop(&circuit_breaker, Duration::ZERO).await;
    assert_eq!(circuit_breaker.state(), State::Open);
    circuit_breaker.reset();
    drop(circuit_breaker.admit().unwrap());
    assert_eq!(circuit_breaker.state(), State::Open);
}

/// CB-15: Or as a failure if it had run for strictly longer than a given time.
#[tokio::test(start_paused = true)]
async fn cb_15_a_failure_after_a_time() {
    let circuit_breaker = builder().on_drop(OnDrop::FailureAfter(100 * MS)).build().unwrap();
    hang_and_drop(&circuit_breaker, 100 * MS).await;
    assert_eq!(circuit_breaker.state(), State::Closed, "exactly the time is not longer");
    hang_and_drop(&circuit_breaker, 100 * MS + Duration::from_nanos(1)).await;
    assert_eq!(circuit_breaker.state(), State::Open);
}

/// CB-15: A future dropped before its first poll was admitted by the layer, but not by `run`.
#[tokio::test(start_paused = true)]
async fn cb_15_dropped_before_the_first_poll() {
    let circuit_breaker = builder().on_drop(OnDrop::Failure).build().unwrap();
    drop(circuit_breaker.run(std::future::pending::<Result<(), BoxError>>()));
    assert_eq!(circuit_breaker.state(), State::Closed);
    let mut service = tower::Layer::layer(&circuit_breaker.layer(), service_fn(|()| async { Ok::<_, BoxError>(()) }));
    drop(service.ready().await.unwrap().call(()));
    assert_eq!(circuit_breaker.state(), State::Open);
}

/// CB-15: A call that is dropped after it has ended is settled once.
#[tokio::test(start_paused = true)]
async fn cb_15_settled_once() {
    let circuit_breaker =
        CircuitBreaker::builder("once").consecutive_failures(2).on_drop(OnDrop::Failure).build().unwrap();
    let fail = service_fn(|()| async { Err::<(), BoxError>("down".into()) });
    let mut service = tower::Layer::layer(&circuit_breaker.layer(), fail);
    let mut call = Box::pin(service.ready().await.unwrap().call(()));
    assert!(poll(call.as_mut()).is_ready());
    drop(call);
    assert_eq!(circuit_breaker.snapshot().counts.consecutive_failures, 1);
    assert_eq!(circuit_breaker.state(), State::Closed);
}

/// CB-15: A future dropped by a thread that unwinds for another reason was dropped; it did not panic.
#[tokio::test(start_paused = true)]
async fn cb_15_dropped_in_somebody_elses_panic() {
    let circuit_breaker = builder().build().unwrap();
    let mut service =
        tower::Layer::layer(&circuit_breaker.layer(), service_fn(|()| std::future::pending::<Result<(), BoxError>>()));
    let call = service.ready().await.unwrap().call(());
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let mut call = pin!(call);
        assert!(poll(call.as_mut()).is_pending());
        panic!("not the call's");
    }));
    assert!(unwound.is_err());
    assert_eq!(circuit_breaker.state(), State::Closed);
}

/// CB-16: A call that panics, in `call` or while polled, counts as a failure, and the panic continues.
#[tokio::test(start_paused = true)]
async fn cb_16_a_panicking_call() {
    let circuit_breaker = builder().build().unwrap();

    let in_call = service_fn(|_: ()| -> std::future::Ready<Result<(), BoxError>> { panic!("in call") });
    let mut service = tower::Layer::layer(&circuit_breaker.layer(), in_call);
    let service = service.ready().await.unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| service.call(()))).expect_err("goes on");
    assert_eq!(panic.downcast_ref(), Some(&"in call"));
    assert_eq!(circuit_breaker.state(), State::Open);

    // The future outlives the panic, as in an executor that catches it, and is dropped later: counted once.
    circuit_breaker.reset();
    let two = CircuitBreaker::builder("two").consecutive_failures(2).on_drop(OnDrop::Failure).build().unwrap();
    let in_poll = service_fn(|()| async { panic!("in poll") as Result<(), BoxError> });
    let mut service = tower::Layer::layer(&two.layer(), in_poll);
    let mut call = Box::pin(service.ready().await.unwrap().call(()));
    assert!(catch_unwind(AssertUnwindSafe(|| poll(call.as_mut()))).is_err());
    assert_eq!(two.snapshot().counts.consecutive_failures, 1);
    drop(call);
    assert_eq!(two.snapshot().counts.consecutive_failures, 1);
}

/// CB-16: So does a future in `run`, a classifier that panics, and a bare permit that an unwinding thread drops.
#[tokio::test(start_paused = true)]
async fn cb_16_other_panics() {
    let circuit_breaker = builder().build().unwrap();
    let run = AssertUnwindSafe(circuit_breaker.run(async { panic!("in run") as Result<(), BoxError> }));
    assert!(catch_unwind(AssertUnwindSafe(|| poll(pin!(run.0)))).is_err());
    assert_eq!(circuit_breaker.state(), State::Open);

    circuit_breaker.reset();
    let classifier = |_: &Result<(), Error<()>>| panic!("in the classifier");
    let classified = circuit_breaker.classify(classifier);
    let run = AssertUnwindSafe(classified.run(async { Ok(()) }));
    assert!(catch_unwind(AssertUnwindSafe(|| poll(pin!(run.0)))).is_err());
    assert_eq!(circuit_breaker.state(), State::Open);

    circuit_breaker.reset();
    let permit = circuit_breaker.admit().unwrap();
    let unwound = catch_unwind(AssertUnwindSafe(move || {
        let _held = permit;
        panic!("around a permit");
    }));
    assert!(unwound.is_err());
    assert_eq!(circuit_breaker.state(), State::Open);
}

/// CB-16: In half-open it reopens the circuit.
#[tokio::test(start_paused = true)]
async fn cb_16_a_probe_that_panics_in_a_task() {
    let circuit_breaker = builder().open_for(SECOND).build().unwrap();
    circuit_breaker.admit().unwrap().settle(seaworthy::Verdict::Failure);
    advance(SECOND).await;
    let service = tower::Layer::layer(
        &circuit_breaker.layer(),
        service_fn(|()| async {
            tokio::task::yield_now().await;
            panic!("in a task") as Result<(), BoxError>
        }),
    );
    let task = tokio::spawn(service.oneshot(()));
    assert!(task.await.expect_err("it panicked").is_panic());
    assert_eq!(circuit_breaker.state(), State::Open);
    assert_eq!(circuit_breaker.snapshot().retry_after, Some(SECOND));
}

/// CB-15: Dropped at any await point, a probe releases its permit.
#[tokio::test(start_paused = true)]
async fn cb_15_dropped_at_every_await() {
    let circuit_breaker = builder().open_for(SECOND).build().unwrap();
    circuit_breaker.admit().unwrap().settle(seaworthy::Verdict::Failure);
    advance(SECOND).await;
    let service = tower::Layer::layer(
        &circuit_breaker.layer(),
        service_fn(|()| async {
            for _ in 0..5 {
                tokio::task::yield_now().await;
            }
            Ok::<_, BoxError>(())
        }),
    );
    for polls in 0..=5 {
        let mut call = Box::pin(service.clone().ready_oneshot().await.unwrap().call(()));
        assert_eq!(circuit_breaker.state(), State::HalfOpen);
        assert!(circuit_breaker.admit().is_err(), "the probe is out");
        for _ in 0..polls {
            assert!(poll(call.as_mut()).is_pending());
        }
        drop(call);
    }
    service.oneshot(()).await.unwrap();
    assert_eq!(circuit_breaker.state(), State::Closed);
}
