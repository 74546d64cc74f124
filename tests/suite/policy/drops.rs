//! Dropped at every await point: nothing is lost.

use std::panic::{AssertUnwindSafe, catch_unwind};

use seaworthy::State;
use tokio_test::task::spawn;

use super::*;
use crate::support::advance;

#[derive(Clone, Copy, Debug)]
struct Story {
    way: Way,
    request: Do,
    half_open: bool,
    /// Another call has the permit for this many polls.
    slot_after: usize,
    /// Then it is dropped.
    polls: usize,
}

/// Returns whether the call ended before it was dropped.
async fn drive(story: Story) -> bool {
    let Story { way, request, half_open, slot_after, polls } = story;
    let (policy, backend) = (with_retry(3).build().unwrap(), Backend::default());
    let (circuit_breaker, bulkhead) = (policy.circuit_breaker().unwrap(), policy.bulkhead().unwrap());
    if half_open {
        trip(&policy);
        advance(OPEN).await;
    }
    let mut permit = Some(bulkhead.try_acquire().unwrap());
    let mut call = spawn(way.ask(&policy, &backend, request));
    let mut ended = false;
    for poll in 0..polls {
        if poll == slot_after {
            permit = None;
        }
        // The executor may drop the future of a call that panicked much later.
        ended = catch_unwind(AssertUnwindSafe(|| call.poll())).map_or(true, |poll| poll.is_ready());
        if ended {
            break;
        }
        advance(6 * MS).await;
    }
    if ended {
        drop(permit);
        assert_eq!((bulkhead.available(), bulkhead.queued()), (1, 0), "{story:?}");
        drop(call);
    } else {
        drop(call);
        drop(permit);
    }
    assert_eq!((bulkhead.available(), bulkhead.queued()), (1, 0), "{story:?}");
    // No probe is in flight. Time advances only if it has to, since that would time out a probe that was leaked.
    if circuit_breaker.state() == State::Open {
        advance(OPEN).await;
    }
    circuit_breaker.admit().unwrap_or_else(|_| panic!("no probe is out: {story:?}")).settle(Verdict::Success);
    assert_eq!(circuit_breaker.state(), State::Closed, "{story:?}");
    ended
}

/// PO-01, PO-03: however the backend ends, whether the call is a probe and whether it has to wait for a permit: dropped
/// after any number of polls, it leaves nothing behind.
#[tokio::test(start_paused = true)]
async fn po_01_dropped_at_every_await_point() {
    for way in WAYS {
        for request in [Do::Answer, Do::AnswerAfter(MS), Do::Fail, Do::Panic, Do::Hang] {
            for half_open in [false, true] {
                for slot_after in [0, 1, 2, usize::MAX] {
                    let mut polls = 0;
                    while !drive(Story { way, request, half_open, slot_after, polls }).await {
                        polls += 1;
                        assert!(polls < 60, "it ends: {way:?}, {request:?}");
                    }
                }
            }
        }
    }
}

/// CB-15, HC-22: what a dropped call counts as is up to the circuit breaker while it runs, but not before its first
/// poll or in the queue, where the circuit breaker has yet to admit it.
#[tokio::test(start_paused = true)]
async fn cb_15_dropped_calls_count() {
    for way in WAYS {
        let counted = builder()
            .circuit_breaker(|circuit_breaker| circuit_breaker.on_drop(seaworthy::OnDrop::Failure))
            .build()
            .unwrap();
        let ignored = builder().build().unwrap();
        for (policy, counts) in [(counted, 1), (ignored, 0)] {
            let backend = Backend::default();
            drop(spawn(way.ask(&policy, &backend, Do::Hang)));
            assert_eq!(failures(&policy), 0, "{way:?}");
            let mut runs = spawn(way.ask(&policy, &backend, Do::Hang));
            let mut waits = spawn(way.ask(&policy, &backend, Do::Hang));
            assert!(runs.poll().is_pending() && waits.poll().is_pending());
            drop(waits);
            assert_eq!((failures(&policy), policy.bulkhead().unwrap().queued()), (0, 0), "{way:?}");
            drop(runs);
            assert_eq!((failures(&policy), policy.bulkhead().unwrap().in_use()), (counts, 0), "{way:?}");
        }
    }
}

/// Records what it saw when it was dropped: whether the permit was still held, and the failures.
struct Witness(Policy, std::sync::Arc<std::sync::Mutex<Vec<(u32, u32)>>>);

impl Drop for Witness {
    fn drop(&mut self) {
        self.1.lock().unwrap().push((self.0.bulkhead().unwrap().in_use(), failures(&self.0)));
    }
}

async fn hang(_: Witness) -> Result<&'static str, BoxError> {
    std::future::pending().await
}

/// BH-01, CB-15: a dropped call is settled before its future is dropped, which may take a while, and releases its
/// permit only after that: there are never more calls in the backend than permits.
#[tokio::test(start_paused = true)]
async fn bh_01_the_slot_outlives_the_call() {
    let policy = with_retry(2)
        .circuit_breaker(|circuit_breaker| circuit_breaker.on_drop(seaworthy::OnDrop::Failure))
        .build()
        .unwrap();
    let seen = std::sync::Arc::<std::sync::Mutex<Vec<_>>>::default();
    let witness = || Witness(policy.clone(), seen.clone());
    let inner = tower::service_fn(|()| hang(witness()));
    let retrying = policy.layer().layer(inner);
    let single = policy.layer().without_retry().layer(inner);

    let mut call = spawn(policy.run(|| hang(witness())));
    assert!(call.poll().is_pending());
    drop(call);
    let mut call = spawn(retrying.oneshot(()));
    assert!(call.poll().is_pending());
    drop(call);
    policy.circuit_breaker().unwrap().reset();
    let mut call = spawn(single.oneshot(()));
    assert!(call.poll().is_pending());
    drop(call);
    assert_eq!(*seen.lock().unwrap(), [(1, 1), (1, 2), (1, 1)]);
    assert_eq!(policy.bulkhead().unwrap().in_use(), 0);
}

/// RT-06: the kept copy of a request is dropped when the last attempt begins.
#[tokio::test(start_paused = true)]
async fn rt_06_nothing_is_kept_for_nothing() {
    let policy =
        Policy::builder("compute").retry(|retry| retry.attempts(2).backoff(Backoff::constant(PAUSE)).no_budget());
    let policy = policy.build().unwrap();
    let calls = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counter = calls.clone();
    let service = policy.layer().layer(tower::service_fn(move |request: std::sync::Arc<()>| {
        let first = counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        async move {
            drop(request);
            if first { Err::<(), BoxError>("broken".into()) } else { std::future::pending().await }
        }
    }));
    let request = std::sync::Arc::new(());
    let mut call = spawn(service.oneshot(request.clone()));
    assert!(call.poll().is_pending());
    // One from which the next attempt will be made, and that attempt's own.
    assert_eq!(std::sync::Arc::strong_count(&request), 3);
    advance(PAUSE).await;
    assert!(call.poll().is_pending());
    assert_eq!((std::sync::Arc::strong_count(&request), calls.load(std::sync::atomic::Ordering::Relaxed)), (1, 2));
}
