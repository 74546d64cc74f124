//! Calls that waited for their slot are admitted afresh.

use seaworthy::State;
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};

use super::*;
use crate::support::advance;

/// HC-22: calls that waited for their slot while the circuit opened are rejected, the backend untouched, and their slots are
/// free; those that had theirs before go on.
#[tokio::test(start_paused = true)]
async fn hc_22_the_circuit_opened_meanwhile() {
    for way in WAYS {
        let (policy, backend) = (builder().build().unwrap(), Backend::default());
        let slots = policy.slots().unwrap();
        let slot = slots.try_take().unwrap();
        let mut queued: Vec<_> = (0..5).map(|_| spawn(way.ask(&policy, &backend, Do::Answer))).collect();
        queued.iter_mut().for_each(|call| assert_pending!(call.poll()));
        assert_eq!((slots.waiting(), backend.calls()), (5, 0), "{way:?}");
        trip(&policy);
        drop(slot);
        for call in &mut queued {
            assert!(call.is_woken(), "{way:?}: the one before it gave the slot back");
            assert_eq!(rejected(assert_ready!(call.poll())), circuit_open(OPEN), "{way:?}");
        }
        let snapshot = policy.snapshot();
        assert_eq!(snapshot.circuit.unwrap().not_permitted, 5, "{way:?}");
        assert_eq!((slots.available(), slots.waiting(), backend.calls()), (1, 0, 0), "{way:?}");
        // While it is closed, the same calls are served.
        policy.circuit().unwrap().reset();
        let slot = slots.try_take().unwrap();
        let mut call = spawn(way.ask(&policy, &backend, Do::Answer));
        assert_pending!(call.poll());
        drop(slot);
        assert_eq!(assert_ready!(call.poll()).unwrap(), "fine", "{way:?}");
        assert_eq!(backend.calls(), 1, "{way:?}");
    }
}

/// HC-22: a call that waits for its slot takes no probe's place: another one becomes the probe, and who waited is rejected
/// if that is still out.
#[tokio::test(start_paused = true)]
async fn hc_22_no_place_of_a_probe_is_taken() {
    for way in WAYS {
        let (policy, backend) = (builder().build().unwrap(), Backend::default());
        let (circuit, slots) = (policy.circuit().unwrap(), policy.slots().unwrap());
        trip(&policy);
        advance(OPEN).await;
        let slot = slots.try_take().unwrap();
        let mut waits = spawn(way.ask(&policy, &backend, Do::Answer));
        assert_pending!(waits.poll());
        assert_eq!(circuit.state(), State::HalfOpen, "{way:?}");
        let probe = circuit.admit().expect("it is not taken by a call that waits");
        assert!(circuit.admit().is_err(), "there is but one");
        drop(slot);
        let rejection = Some(Rejected::CircuitOpen { name: "compute".into(), retry_after: None });
        assert_eq!(rejected(assert_ready!(waits.poll())), rejection, "{way:?}");
        assert_eq!((slots.available(), backend.calls()), (1, 0), "{way:?}");
        // The next one waits until the probe is back, and is served.
        let slot = slots.try_take().unwrap();
        probe.settle(Verdict::Ignored);
        let mut waits = spawn(way.ask(&policy, &backend, Do::Answer));
        assert_pending!(waits.poll());
        drop(slot);
        assert_eq!(assert_ready!(waits.poll()).unwrap(), "fine", "{way:?}");
        assert_eq!(circuit.state(), State::Closed, "{way:?}");
    }
}

/// HC-22: the wait for a slot is none of the time by which a call is slow, and a call that is dropped while it waits says
/// nothing about the backend.
#[tokio::test(start_paused = true)]
async fn hc_22_the_wait_says_nothing() {
    for way in WAYS {
        let policy = Policy::builder("compute")
            .circuit(|circuit| {
                let circuit = circuit.slow_call(5 * MS).slow_rate(1.0).count_window(1).minimum_calls(1);
                circuit.on_drop(seaworthy::OnDrop::Failure).consecutive_failures(1)
            })
            .bulkhead(|bulkhead| bulkhead.limit(1).max_wait(WAIT))
            .build()
            .unwrap();
        let (backend, slots) = (Backend::default(), policy.slots().unwrap());
        let slot = slots.try_take().unwrap();
        let mut waits = spawn(way.ask(&policy, &backend, Do::Answer));
        let mut dropped = spawn(way.ask(&policy, &backend, Do::Answer));
        assert_pending!(waits.poll());
        assert_pending!(dropped.poll());
        advance(10 * MS).await;
        drop((slot, dropped));
        assert_eq!(assert_ready!(waits.poll()).unwrap(), "fine", "{way:?}");
        assert_eq!(policy.circuit().unwrap().state(), State::Closed, "{way:?}");
    }
}
