//! Calls that waited for their permit are admitted afresh.

use seaworthy::State;
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};

use super::*;
use crate::support::advance;

/// HC-22: calls that waited for their permit while the circuit opened are rejected, the backend untouched, and their
/// permits are free; those that had theirs before go on.
#[tokio::test(start_paused = true)]
async fn hc_22_the_circuit_opened_meanwhile() {
    for way in WAYS {
        let (policy, backend) = (builder().build().unwrap(), Backend::default());
        let bulkhead = policy.bulkhead().unwrap();
        let permit = bulkhead.try_acquire().unwrap();
        let mut queued: Vec<_> = (0..5).map(|_| spawn(way.ask(&policy, &backend, Do::Answer))).collect();
        queued.iter_mut().for_each(|call| assert_pending!(call.poll()));
        assert_eq!((bulkhead.queued(), backend.calls()), (5, 0), "{way:?}");
        trip(&policy);
        drop(permit);
        for call in &mut queued {
            assert!(call.is_woken(), "{way:?}: the one before it gave the permit back");
            assert_eq!(rejected(assert_ready!(call.poll())), circuit_open(OPEN), "{way:?}");
        }
        let snapshot = policy.snapshot();
        assert_eq!(snapshot.circuit_breaker.unwrap().rejected, 5, "{way:?}");
        assert_eq!((bulkhead.available(), bulkhead.queued(), backend.calls()), (1, 0, 0), "{way:?}");
        // While it is closed, the same calls are served.
        policy.circuit_breaker().unwrap().reset();
        let permit = bulkhead.try_acquire().unwrap();
        let mut call = spawn(way.ask(&policy, &backend, Do::Answer));
        assert_pending!(call.poll());
        drop(permit);
        assert_eq!(assert_ready!(call.poll()).unwrap(), "fine", "{way:?}");
        assert_eq!(backend.calls(), 1, "{way:?}");
    }
}

/// HC-22: a call that waits for its permit does not take a probe's place: another one becomes the probe, and the waiter
/// is rejected if that is still in flight.
#[tokio::test(start_paused = true)]
async fn hc_22_no_place_of_a_probe_is_taken() {
    for way in WAYS {
        let (policy, backend) = (builder().build().unwrap(), Backend::default());
        let (circuit_breaker, bulkhead) = (policy.circuit_breaker().unwrap(), policy.bulkhead().unwrap());
        trip(&policy);
        advance(OPEN).await;
        let permit = bulkhead.try_acquire().unwrap();
        let mut waits = spawn(way.ask(&policy, &backend, Do::Answer));
        assert_pending!(waits.poll());
        assert_eq!(circuit_breaker.state(), State::HalfOpen, "{way:?}");
        let probe = circuit_breaker.admit().expect("it is not taken by a call that waits");
        assert!(circuit_breaker.admit().is_err(), "there is but one");
        drop(permit);
        let rejection = Some(Rejected::CircuitOpen { name: "compute".into(), retry_after: None.into() });
        assert_eq!(rejected(assert_ready!(waits.poll())), rejection, "{way:?}");
        assert_eq!((bulkhead.available(), backend.calls()), (1, 0), "{way:?}");
        // The next one waits until the probe is back, and is served.
        let permit = bulkhead.try_acquire().unwrap();
        probe.settle(Verdict::Ignored);
        let mut waits = spawn(way.ask(&policy, &backend, Do::Answer));
        assert_pending!(waits.poll());
        drop(permit);
        assert_eq!(assert_ready!(waits.poll()).unwrap(), "fine", "{way:?}");
        assert_eq!(circuit_breaker.state(), State::Closed, "{way:?}");
    }
}

/// HC-22: the wait for a permit does not count towards a slow call, and a call that is dropped while it waits says
/// nothing about the backend.
#[tokio::test(start_paused = true)]
async fn hc_22_the_wait_says_nothing() {
    for way in WAYS {
        let policy = Policy::builder("compute")
            .circuit_breaker(|circuit_breaker| {
                let circuit_breaker = circuit_breaker.slow_call(5 * MS).slow_rate(1.0).count_window(1).minimum_calls(1);
                circuit_breaker.on_drop(seaworthy::OnDrop::Failure).consecutive_failures(1)
            })
            .bulkhead(|bulkhead| bulkhead.limit(1).max_wait(WAIT))
            .build()
            .unwrap();
        let (backend, bulkhead) = (Backend::default(), policy.bulkhead().unwrap());
        let permit = bulkhead.try_acquire().unwrap();
        let mut waits = spawn(way.ask(&policy, &backend, Do::Answer));
        let mut dropped = spawn(way.ask(&policy, &backend, Do::Answer));
        assert_pending!(waits.poll());
        assert_pending!(dropped.poll());
        advance(10 * MS).await;
        drop((permit, dropped));
        assert_eq!(assert_ready!(waits.poll()).unwrap(), "fine", "{way:?}");
        assert_eq!(policy.circuit_breaker().unwrap().state(), State::Closed, "{way:?}");
    }
}
