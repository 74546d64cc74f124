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
    /// The slot is another's for so many polls.
    slot_after: usize,
    /// Then it is dropped.
    polls: usize,
}

/// Tells whether the call came to its end before it was dropped.
async fn drive(story: Story) -> bool {
    let Story { way, request, half_open, slot_after, polls } = story;
    let (policy, backend) = (with_retry(3).build().unwrap(), Backend::default());
    let (circuit, slots) = (policy.circuit().unwrap(), policy.slots().unwrap());
    if half_open {
        trip(&policy);
        advance(OPEN).await;
    }
    let mut slot = Some(slots.try_take().unwrap());
    let mut call = spawn(way.ask(&policy, &backend, request));
    let mut ended = false;
    for poll in 0..polls {
        if poll == slot_after {
            slot = None;
        }
        // The executor may drop the future of a call that panicked much later.
        ended = catch_unwind(AssertUnwindSafe(|| call.poll())).map_or(true, |poll| poll.is_ready());
        if ended {
            break;
        }
        advance(6 * MS).await;
    }
    if ended {
        drop(slot);
        assert_eq!((slots.available(), slots.waiting()), (1, 0), "{story:?}");
        drop(call);
    } else {
        drop(call);
        drop(slot);
    }
    assert_eq!((slots.available(), slots.waiting()), (1, 0), "{story:?}");
    // No probe is out. Time goes on only if it has to, since it would give up a probe that was leaked.
    if circuit.state() == State::Open {
        advance(OPEN).await;
    }
    circuit.admit().unwrap_or_else(|_| panic!("no probe is out: {story:?}")).settle(Verdict::Success);
    assert_eq!(circuit.state(), State::Closed, "{story:?}");
    ended
}

/// PO-01, PO-03: however the backend ends, whether the call is a probe and whether it has to wait for a slot: dropped after
/// any number of polls, it leaves nothing behind.
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

/// CB-15: what a dropped call counts as is the circuit's to say, in the queue, while it runs, and not before its first
/// poll.
#[tokio::test(start_paused = true)]
async fn cb_15_dropped_calls_count() {
    for way in WAYS {
        let counted = builder().circuit(|circuit| circuit.on_drop(seaworthy::OnDrop::Failure)).build().unwrap();
        let ignored = builder().build().unwrap();
        for (policy, counts) in [(counted, 1), (ignored, 0)] {
            let backend = Backend::default();
            drop(spawn(way.ask(&policy, &backend, Do::Hang)));
            assert_eq!(failures(&policy), 0, "{way:?}");
            let mut runs = spawn(way.ask(&policy, &backend, Do::Hang));
            let mut waits = spawn(way.ask(&policy, &backend, Do::Hang));
            assert!(runs.poll().is_pending() && waits.poll().is_pending());
            drop(waits);
            assert_eq!((failures(&policy), policy.slots().unwrap().waiting()), (counts, 0), "{way:?}");
            drop(runs);
            assert_eq!((failures(&policy), policy.slots().unwrap().in_use()), (2 * counts, 0), "{way:?}");
        }
    }
}
