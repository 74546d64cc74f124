use std::time::Duration;

use seaworthy::{BoxError, Bulkhead};
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::{Layer, Service as _, service_fn};

use super::{assert_full, assert_idle, call, patient, patient_builder, request, service};
use crate::support::{MS, SECOND, advance};

/// BH-03: waiters are served in the order in which they came, one for each permit that is released.
#[tokio::test(start_paused = true)]
async fn first_come_first_served() {
    let bulkhead = patient(1);
    let (mut service, mut backend) = service(&bulkhead);
    let bulkhead_permit = bulkhead.try_acquire().expect("free");
    let mut waiters = ["first", "second", "third"].map(|request| call(&mut service, request));
    waiters.iter_mut().for_each(|waiter| assert_pending!(waiter.poll()));
    assert_eq!((bulkhead.queued(), bulkhead.in_use()), (3, 1));
    assert!(request!(backend).is_none());
    drop(bulkhead_permit);
    // Only the first was woken; the permit went to it and is not free in between.
    let [first, second, third] = &mut waiters;
    assert!(first.is_woken() && !second.is_woken() && !third.is_woken());
    assert_eq!((bulkhead.queued(), bulkhead.in_use()), (2, 1));
    for (waiter, request) in [(first, "first"), (second, "second"), (third, "third")] {
        assert!(waiter.is_woken());
        assert_pending!(waiter.poll());
        assert_eq!(request!(backend), Some(request));
        assert_ready_ok!(waiter.poll());
    }
    assert_idle(&bulkhead);
}

/// BH-03: it waits up to `max_wait`, from its first poll, and then is rejected, the inner service untouched.
#[tokio::test(start_paused = true)]
async fn waits_no_longer_than_told() {
    let bulkhead = patient(1);
    let (mut service, mut backend) = service(&bulkhead);
    let _permit = bulkhead.try_acquire().expect("free");
    let mut waiter = call(&mut service, "in vain");
    // Not polled, it does not wait.
    advance(SECOND).await;
    assert_eq!(bulkhead.queued(), 0);
    assert_pending!(waiter.poll());
    advance(SECOND - MS).await;
    assert!(!waiter.is_woken());
    assert_pending!(waiter.poll());
    advance(MS).await;
    assert!(waiter.is_woken());
    assert_full!(waiter);
    assert!(request!(backend).is_none());
    assert_eq!((bulkhead.queued(), bulkhead.in_use(), bulkhead.snapshot().rejected), (0, 1, 1));
}

/// BH-03: beyond `max_queued` a call is rejected at once, without a timer; a place that becomes free can be taken.
#[tokio::test]
async fn no_more_wait_than_told() {
    let bulkhead = patient_builder(1).max_queued(2).build().expect("valid");
    let (mut service, _backend) = service(&bulkhead);
    let _permit = bulkhead.try_acquire().expect("free");
    let mut first = call(&mut service, "first");
    let mut second = call(&mut service, "second");
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    assert_full!(call(&mut service, "one too many"));
    drop(first);
    let mut third = call(&mut service, "third");
    // One that may wait at `call`, but no longer at its first poll.
    let mut fourth = call(&mut service, "fourth");
    assert_pending!(third.poll());
    assert_full!(fourth);
    assert_eq!((bulkhead.queued(), bulkhead.snapshot().rejected), (2, 2));
}

/// BH-03: with a wait of zero, or no room in the queue, no call waits: no timer, and so no runtime is needed.
#[test]
fn no_wait_at_all() {
    let builders = [patient_builder(1).max_wait(Duration::ZERO), patient_builder(1).max_queued(0)];
    for bulkhead in builders.map(|builder| builder.build().expect("valid")) {
        let (mut service, _backend) = service(&bulkhead);
        let _permit = bulkhead.try_acquire().expect("free");
        assert_full!(call(&mut service, "rejected"));
        assert!(task::spawn(bulkhead.acquire()).poll().is_ready());
        assert_eq!(bulkhead.queued(), 0);
    }
}

/// BH-03: a wait that the clock cannot represent means no limit, and needs no timer, and so no runtime.
#[test]
fn waits_for_ever() {
    let bulkhead = patient_builder(1).max_wait(Duration::MAX).build().expect("valid");
    let (mut service, mut backend) = service(&bulkhead);
    let bulkhead_permit = bulkhead.try_acquire().expect("free");
    let mut waiter = call(&mut service, "late");
    assert_pending!(waiter.poll());
    drop(bulkhead_permit);
    assert!(waiter.is_woken());
    assert_pending!(waiter.poll());
    assert_eq!(request!(backend), Some("late"));
    assert_ready_ok!(waiter.poll());
}

/// BH-03: a year's wait ends after a year.
#[tokio::test(start_paused = true)]
async fn waits_for_a_year() {
    let year = Duration::from_secs(365 * 24 * 3600);
    let bulkhead = patient_builder(1).max_wait(year).build().expect("valid");
    let _permit = bulkhead.try_acquire().expect("free");
    let mut waiter = task::spawn(bulkhead.acquire());
    assert_pending!(waiter.poll());
    advance(year - MS).await;
    assert_pending!(waiter.poll());
    advance(MS).await;
    assert!(assert_ready!(waiter.poll()).is_err());
}

/// BH-04: a permit that is free when the wait is over wins, whichever came first. The others are rejected.
#[tokio::test(start_paused = true)]
async fn the_slot_wins_over_the_clock() {
    let bulkhead = patient(1);
    for slot_comes_first in [true, false] {
        let (mut service, mut backend) = service(&bulkhead);
        let bulkhead_permit = bulkhead.try_acquire().expect("free");
        let mut first = call(&mut service, "first");
        let mut second = call(&mut service, "second");
        assert_pending!(first.poll());
        assert_pending!(second.poll());
        if slot_comes_first {
            drop(bulkhead_permit);
            advance(SECOND).await;
        } else {
            advance(SECOND).await;
            drop(bulkhead_permit);
        }
        assert!(first.is_woken() && second.is_woken());
        // In either order of polls.
        assert_full!(second);
        assert_pending!(first.poll());
        assert_eq!(request!(backend), Some("first"));
        assert_ready_ok!(first.poll());
        assert_idle(&bulkhead);
    }
}

/// BH-04: a waiter whose wait is over, but that has not noticed, is still in the queue: the permit is its own, and it
/// takes it.
#[tokio::test(start_paused = true)]
async fn the_slot_of_one_who_came_late() {
    let bulkhead = patient(1);
    let bulkhead_permit = bulkhead.try_acquire().expect("free");
    let mut waiter = task::spawn(bulkhead.acquire());
    assert_pending!(waiter.poll());
    advance(100 * SECOND).await;
    drop(bulkhead_permit);
    assert!(bulkhead.try_acquire().is_err());
    assert!(assert_ready!(waiter.poll()).is_ok());
    assert_idle(&bulkhead);
}

/// BH-05: while a call waits it does not hold the inner service's readiness either, not even one that `poll_ready` had
/// obtained; the inner service is made ready once there is a permit.
#[tokio::test(start_paused = true)]
async fn no_readiness_is_held_while_waiting() {
    // The inner service gives its one permit to any service that is ready.
    let permits = GlobalConcurrencyLimitLayer::new(1);
    let bulkhead = patient(1);
    let inner = permits.layer(service_fn(async |request: u32| Ok::<_, BoxError>(request + 1)));
    let mut service = task::spawn(bulkhead.layer().layer(inner.clone()));
    let mut stranger = task::spawn(inner);
    assert_ready_ok!(service.enter(|cx, service| service.get_mut().poll_ready(cx)));
    assert_pending!(stranger.enter(|cx, stranger| stranger.get_mut().poll_ready(cx)));
    let bulkhead_permit = bulkhead.try_acquire().expect("free");
    let mut waiter = task::spawn(service.call(1));
    // The permit went with the service that was ready, at the latest when the call began to wait.
    assert_pending!(waiter.poll());
    assert!(stranger.is_woken());
    assert_ready_ok!(stranger.enter(|cx, stranger| stranger.get_mut().poll_ready(cx)));

    // The permit is granted, but the stranger has the inner one.
    drop(bulkhead_permit);
    assert!(waiter.is_woken());
    assert_pending!(waiter.poll());
    assert_eq!(bulkhead.in_use(), 1);
    // The wait for the permit is over: the clock no longer matters.
    advance(10 * SECOND).await;
    assert_pending!(waiter.poll());
    drop(stranger);
    assert!(waiter.is_woken());
    assert_eq!(assert_ready_ok!(waiter.poll()), 2);
    assert_idle(&bulkhead);
}

/// BH-06: an error from the inner service's `poll_ready` after the wait is the call's, and the permit is released.
#[tokio::test(start_paused = true)]
async fn not_ready_after_the_wait() {
    let bulkhead = patient(1);
    let (mut service, mut backend) = service(&bulkhead);
    let bulkhead_permit = bulkhead.try_acquire().expect("free");
    let mut waiter = call(&mut service, "in vain");
    assert_pending!(waiter.poll());
    drop(bulkhead_permit);
    backend.send_error("sunk");
    assert_eq!(assert_ready!(waiter.poll()).expect_err("the inner's").to_string(), "sunk");
    assert_idle(&bulkhead);
    assert_eq!(bulkhead.snapshot().rejected, 0);
}

/// BH-03: a call that may wait does not if there is a permit by its first poll.
#[test]
fn a_slot_at_the_first_poll() {
    let bulkhead = patient(1);
    let (mut service, mut backend) = service(&bulkhead);
    let bulkhead_permit = bulkhead.try_acquire().expect("free");
    let mut lucky = call(&mut service, "lucky");
    drop(bulkhead_permit);
    // Without a timer, and so without a runtime.
    assert_pending!(lucky.poll());
    assert_eq!(request!(backend), Some("lucky"));
    assert_ready_ok!(lucky.poll());
    assert_idle(&bulkhead);
}

/// BH-03: it is the waker of the last poll that is woken.
#[tokio::test(start_paused = true)]
async fn a_waiter_may_move_to_another_task() {
    let bulkhead = patient(1);
    let bulkhead_permit = bulkhead.try_acquire().expect("free");
    let mut take = Box::pin(bulkhead.acquire());
    let mut old = task::spawn(());
    let mut new = task::spawn(());
    assert_pending!(old.enter(|cx, _| take.as_mut().poll(cx)));
    assert_pending!(new.enter(|cx, _| take.as_mut().poll(cx)));
    drop(bulkhead_permit);
    assert!(new.is_woken() && !old.is_woken());
    assert!(assert_ready!(new.enter(|cx, _| take.as_mut().poll(cx))).is_ok());
}

/// BH-03: a wait in the response future does not block the service: others can be rejected meanwhile, or wait too.
#[tokio::test(start_paused = true)]
async fn the_service_is_ready_while_calls_wait() {
    let bulkhead = patient_builder(1).max_queued(1).build().expect("valid");
    let (mut service, mut backend) = service(&bulkhead);
    backend.allow(0);
    let bulkhead_permit = bulkhead.try_acquire().expect("free");
    let mut waiter = call(&mut service, "waiter");
    assert_pending!(waiter.poll());
    assert_full!(call(&mut service, "rejected"));
    // The permit was released, but it is the waiter's: the next call comes after it.
    drop(bulkhead_permit);
    let mut late = call(&mut service, "late");
    assert_pending!(late.poll());
    backend.allow(2);
    for (call, request) in [(&mut waiter, "waiter"), (&mut late, "late")] {
        assert_pending!(call.poll());
        assert_eq!(request!(backend), Some(request));
        assert_ready_ok!(call.poll());
    }
    assert_idle(&bulkhead);
}

/// BH-04: one thread releases permits while another's wait ends: if the waiter finds the permit free, it has it. (The
/// two race in `loom_bulkhead`; here they come in order.)
#[tokio::test(start_paused = true)]
async fn rejected_only_while_nothing_is_free() {
    let bulkhead = Bulkhead::builder("ship").limit(2).max_wait(MS).build().expect("valid");
    let held = [bulkhead.try_acquire().expect("free"), bulkhead.try_acquire().expect("free")];
    let mut waiters: Vec<_> = (0..3).map(|_| task::spawn(bulkhead.acquire())).collect();
    waiters.iter_mut().for_each(|waiter| assert_pending!(waiter.poll()));
    advance(MS).await;
    drop(held);
    let answers: Vec<_> = waiters.iter_mut().map(|waiter| assert_ready!(waiter.poll())).collect();
    assert!(matches!(answers[..], [Ok(_), Ok(_), Err(_)]));
}
