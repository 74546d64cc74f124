//! An open circuit above a full bulkhead; the stack below and above third-party layers.

use seaworthy::RetryAfter;
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};

use super::*;
use crate::support::now;

/// An open circuit fails fast while the bulkhead below is full, with and without callers in its queue. Those admitted
/// before stay where they are, and their outcome says nothing about the circuit's current state.
#[tokio::test(start_paused = true)]
async fn an_open_circuit_above_a_full_bulkhead() {
    for queue in [None, Some(QUEUE)] {
        let (parts, backend) = (Parts::new(3, queue), Backend::new());
        let service = parts.around(backend.clone());
        let start = now();
        let mut running = spawn(service.clone().oneshot(Do::AnswerAfter(10 * MS)));
        assert_pending!(running.poll());
        let mut next = spawn(service.clone().oneshot(Do::Answer));
        match queue {
            Some(_) => assert_pending!(next.poll()),
            None => assert!(assert_ready!(next.poll()).is_err()),
        }
        let waiting = u32::from(queue.is_some());
        parts.trip();
        for _ in 0..10 {
            let mut rejected = spawn(service.clone().oneshot(Do::Answer));
            assert_eq!(assert_ready!(rejected.poll()).unwrap_err().rejected(), circuit_open(OPEN).as_ref());
        }
        assert_eq!((parts.bulkhead.in_use(), parts.bulkhead.queued()), (1, waiting));
        assert_eq!((backend.calls(), now()), (1, start));

        advance(10 * MS).await;
        assert_eq!(assert_ready!(running.poll()).unwrap(), "fine");
        if queue.is_some() {
            assert_eq!(assert_ready!(next.poll()).unwrap(), "fine");
        }
        assert_eq!((parts.circuit_breaker.state(), backend.calls()), (State::Open, 1 + waiting));
        parts.assert_whole(&queue).await;
    }
}

/// A call that waits in the queue when the circuit opens, and then fails, does not restart the open time.
#[tokio::test(start_paused = true)]
async fn a_late_failure_from_the_queue() {
    let (parts, backend) = (Parts::new(1, Some(QUEUE)), Backend::new());
    let service = parts.around(backend.clone());
    let permit = parts.bulkhead.try_acquire().unwrap();
    let mut waiting = spawn(service.clone().oneshot(Do::Fail));
    assert_pending!(waiting.poll());
    parts.trip();
    advance(WAIT).await;
    drop(permit);
    assert!(waiting.is_woken());
    assert!(assert_ready!(waiting.poll()).unwrap_err().rejected().is_none());
    assert_eq!(rejection(&service, Do::Answer).await, circuit_open(OPEN - WAIT));
    parts.assert_whole(&"late").await;
}

/// A probe that waits in the queue is still a probe: no other call is admitted until it is done.
#[tokio::test(start_paused = true)]
async fn a_probe_in_the_queue() {
    let (parts, backend) = (Parts::new(3, Some(QUEUE)), Backend::new());
    let service = parts.around(backend.clone());
    parts.trip();
    advance(OPEN).await;
    let permit = parts.bulkhead.try_acquire().unwrap();
    let mut probe = spawn(service.clone().oneshot(Do::Answer));
    assert_pending!(probe.poll());
    let turned_away = rejection(&service, Do::Answer).await;
    assert!(matches!(turned_away, Some(Rejected::CircuitOpen { retry_after: RetryAfter::UNKNOWN, .. })));
    assert_eq!((parts.bulkhead.queued(), backend.calls()), (1, 0));
    drop(permit);
    assert_eq!(assert_ready!(probe.poll()).unwrap(), "fine");
    assert_eq!((parts.circuit_breaker.state(), backend.calls()), (State::Closed, 1));
    parts.assert_whole(&"probed").await;
}

/// Under `LoadShed` and `Buffer`: rejections are responses, so that neither sheds anything and the buffer's worker is
/// still alive when the circuit has closed again. Above them, too.
#[tokio::test(start_paused = true)]
async fn with_buffer_and_load_shed() {
    for above in [true, false] {
        let (parts, backend) = (Parts::new(3, None), Backend::new());
        let service: Boxed<Do> = if above {
            let stack = parts.retry.layer();
            let stack = ServiceBuilder::new().load_shed().buffer(8).layer(stack).layer(parts.circuit_breaker.layer());
            stack.layer(parts.bulkhead.layer()).layer(parts.timeout.layer()).service(backend.clone()).boxed_clone()
        } else {
            let queue = ServiceBuilder::new().load_shed().buffer(8).service(backend.clone());
            let stack = ServiceBuilder::new().layer(parts.retry.layer()).layer(parts.circuit_breaker.layer());
            stack.layer(parts.bulkhead.layer()).layer(parts.timeout.layer()).service(queue).boxed_clone()
        };
        assert_eq!(rejection(&service, Do::Answer).await, None);
        assert_eq!(rejection(&service, Do::Hang).await, timed_out());
        assert_eq!((parts.circuit_breaker.state(), backend.calls()), (State::Open, 4));
        for _ in 0..20 {
            assert_eq!(rejection(&service, Do::Answer).await, circuit_open(OPEN));
        }
        advance(OPEN).await;
        assert_eq!(service.clone().oneshot(Do::Answer).await.unwrap(), "fine");
        let permit = parts.bulkhead.try_acquire().unwrap();
        for _ in 0..20 {
            assert_eq!(rejection(&service, Do::Answer).await, full());
        }
        drop(permit);
        assert_eq!(service.clone().oneshot(Do::Answer).await.unwrap(), "fine");
        assert_eq!(backend.calls(), 6);
        parts.assert_whole(&above).await;
    }
}
