//! Total timeout, retry, circuit breaker, bulkhead, attempt timeout, service.

use seaworthy::{TimeoutLayer, Verdict};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};

use super::*;
use crate::support::{SECOND, now};

/// A retry goes on until the circuit opens and no further: a call that meets an open circuit is rejected at once.
#[tokio::test(start_paused = true)]
async fn a_retry_stops_at_an_open_circuit() {
    let (parts, backend) = (Parts::new(10, None), Backend::new());
    let service = parts.around(backend.clone());
    let start = now();
    assert_eq!(rejection(&service, Do::Fail).await, circuit_open(OPEN - WAIT));
    // Three attempts and a wait after each; the fourth found the circuit open, and took no further token.
    assert_eq!((backend.calls(), now() - start), (TRIPS_AFTER, TRIPS_AFTER * WAIT));
    assert_eq!(parts.budget.balance(), FLOOR - u64::from(TRIPS_AFTER));

    let mut rejected = spawn(service.clone().oneshot(Do::Answer));
    assert_eq!(assert_ready!(rejected.poll()).unwrap_err().rejected(), circuit_open(OPEN - WAIT).as_ref());
    assert_eq!((backend.calls(), parts.budget.balance()), (TRIPS_AFTER, FLOOR - u64::from(TRIPS_AFTER)));
    parts.assert_whole(&"stopped").await;
}

/// Each attempt that times out is a failure for the circuit breaker, and the third opens it.
#[tokio::test(start_paused = true)]
async fn a_timeout_below_the_circuit_trips_it() {
    let (parts, backend) = (Parts::new(3, None), Backend::new());
    let service = parts.around(backend.clone());
    assert_eq!(rejection(&service, Do::Hang).await, timed_out());
    assert_eq!((parts.circuit_breaker.state(), backend.calls()), (State::Open, 3));
    assert_eq!(rejection(&service, Do::Hang).await, circuit_open(OPEN));
    assert_eq!(backend.calls(), 3);
    parts.assert_whole(&"tripped").await;
}

/// An attempt that timed out is retried, and the caller does not notice.
#[tokio::test(start_paused = true)]
async fn what_timed_out_is_retried() {
    let (parts, backend) = (Parts::new(3, None), Backend::new());
    let start = now();
    assert_eq!(parts.around(backend.clone()).oneshot(Do::HangUntil(3)).await.unwrap(), "fine");
    assert_eq!((backend.calls(), now() - start), (3, 2 * (ATTEMPT + WAIT)));
    // The success ended the run of two failures.
    assert_eq!((parts.failures(), parts.budget.balance()), (0, FLOOR - 2));
    parts.assert_whole(&"retried").await;
}

/// A full bulkhead says nothing about the backend: the circuit's run of failures neither grows nor ends. It is not
/// retried, either.
#[tokio::test(start_paused = true)]
async fn a_full_bulkhead_is_ignored_by_the_circuit() {
    for queue in [None, Some(QUEUE)] {
        let (parts, backend) = (Parts::new(3, queue), Backend::new());
        let service = parts.around(backend.clone());
        settle(&parts.circuit_breaker, &[Verdict::Failure; TRIPS_AFTER as usize - 1]);
        let bulkhead_permit = parts.bulkhead.try_acquire().unwrap();
        let start = now();
        for _ in 0..10 {
            assert_eq!(rejection(&service, Do::Answer).await, full());
        }
        assert_eq!(now() - start, 10 * queue.unwrap_or_default());
        assert_eq!((parts.failures(), parts.circuit_breaker.state()), (TRIPS_AFTER - 1, State::Closed));
        assert_eq!((backend.calls(), parts.budget.balance()), (0, FLOOR));

        // The next failure opens it.
        drop(bulkhead_permit);
        assert!(matches!(rejection(&service, Do::Fail).await, Some(Rejected::CircuitOpen { .. })));
        assert_eq!(backend.calls(), 1);
        parts.assert_whole(&queue).await;
    }
}

/// A probe that finds the bulkhead full proves nothing: the circuit stays half-open, and the next call is the probe.
#[tokio::test(start_paused = true)]
async fn a_probe_that_finds_the_bulkhead_full() {
    for queue in [None, Some(QUEUE)] {
        let (parts, backend) = (Parts::new(3, queue), Backend::new());
        let service = parts.around(backend.clone());
        parts.trip();
        advance(OPEN).await;
        let bulkhead_permit = parts.bulkhead.try_acquire().unwrap();
        for _ in 0..10 {
            assert_eq!(rejection(&service, Do::Answer).await, full());
            assert_eq!(parts.circuit_breaker.state(), State::HalfOpen);
        }
        drop(bulkhead_permit);
        assert_eq!(rejection(&service, Do::Answer).await, None);
        assert_eq!((parts.circuit_breaker.state(), backend.calls()), (State::Closed, 1));
        parts.assert_whole(&queue).await;
    }
}

/// A call that waits for its next attempt holds no permit, of either kind.
#[tokio::test(start_paused = true)]
async fn between_attempts_nothing_is_held() {
    let (parts, backend) = (Parts::new(3, None), Backend::new());
    let service = parts.around(backend.clone());
    let mut failing = spawn(service.clone().oneshot(Do::Fail));
    assert_pending!(failing.poll());
    assert_eq!((parts.bulkhead.in_use(), parts.failures()), (0, 1));
    // Meanwhile another call has the only permit.
    assert_eq!(rejection(&service, Do::Answer).await, None);
    assert_eq!(parts.failures(), 0);
    advance(WAIT).await;
    assert_pending!(failing.poll());
    assert_eq!((backend.calls(), parts.failures()), (3, 1));
    drop(failing);
    parts.assert_whole(&"dropped").await;
}

/// The total timeout ends attempts and waits. The attempt that it cuts off does not count for the circuit breaker.
#[tokio::test(start_paused = true)]
async fn a_total_timeout_ends_it_all() {
    // In the first attempt, in the wait after it, in the second attempt.
    let table = [(ATTEMPT / 2, 1, 0), (ATTEMPT + WAIT / 2, 1, 1), (ATTEMPT + WAIT + ATTEMPT / 2, 2, 1)];
    for (total, calls, failures) in table {
        let (parts, backend) = (Parts::new(3, None), Backend::new());
        let layer = TimeoutLayer::new(total);
        let service = ServiceBuilder::new().layer(layer).service(parts.around(backend.clone()));
        let start = now();
        let mut call = spawn(service.oneshot(Do::Hang));
        assert_pending!(call.poll());
        while call.poll().is_pending() {
            advance(MS).await;
        }
        // It is over before the response future is dropped.
        assert_eq!((now() - start, backend.calls(), parts.failures()), (total, calls, failures));
        parts.assert_whole(&total).await;
        drop(call);
        advance(SECOND).await;
        assert_eq!(backend.calls(), calls);
    }
}
