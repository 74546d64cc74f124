use tokio_test::{assert_pending, assert_ready, task};

use super::{assert_idle, patient, slots};

/// BH-07: one who was granted a slot and was not polled since counts as in use; nobody else gets that slot.
#[tokio::test(start_paused = true)]
async fn granted_and_not_noticed() {
    let slots = patient(1);
    let slot = slots.try_take().expect("free");
    let mut waiter = task::spawn(slots.take());
    assert_pending!(waiter.poll());
    assert_eq!((slots.in_use(), slots.waiting(), slots.available()), (1, 1, 0));
    drop(slot);
    assert_eq!((slots.in_use(), slots.waiting(), slots.available()), (1, 0, 0));
    assert!(slots.try_take().is_err());
    drop(assert_ready!(waiter.poll()));
    assert!(slots.try_take().is_ok());
}

/// BH-07: more slots go at once to those who wait, in their order, and the rest is free.
#[tokio::test(start_paused = true)]
async fn up() {
    let slots = patient(1);
    let _slot = slots.try_take().expect("free");
    let mut waiters: Vec<_> = (0..4).map(|_| task::spawn(slots.take())).collect();
    waiters.iter_mut().for_each(|waiter| assert_pending!(waiter.poll()));
    slots.set_limit(3).expect("in range");
    assert_eq!(waiters.iter().map(|waiter| waiter.is_woken()).collect::<Vec<_>>(), [true, true, false, false]);
    assert_eq!((slots.limit(), slots.in_use(), slots.waiting(), slots.available()), (3, 3, 2, 0));
    assert!(slots.try_take().is_err());
    slots.set_limit(9).expect("in range");
    assert_eq!((slots.in_use(), slots.waiting(), slots.available()), (5, 0, 4));
    assert!(waiters.iter_mut().all(|waiter| assert_ready!(waiter.poll()).is_ok()));
}

/// BH-07: fewer slots take effect as calls end; nothing that runs is touched, and nobody is let in until enough ended.
#[tokio::test(start_paused = true)]
async fn down() {
    let slots = patient(3);
    let mut held: Vec<_> = (0..3).map(|_| slots.try_take().expect("free")).collect();
    slots.set_limit(1).expect("in range");
    assert_eq!((slots.limit(), slots.in_use(), slots.available()), (1, 3, 0));
    let mut waiter = task::spawn(slots.take());
    assert_pending!(waiter.poll());
    held.pop();
    held.pop();
    assert_eq!((slots.in_use(), slots.waiting()), (1, 1));
    assert!(!waiter.is_woken());
    held.pop();
    assert!(waiter.is_woken());
    assert!(assert_ready!(waiter.poll()).is_ok());
    assert_idle(&slots);
}

/// BH-07: down and up again while calls run gives nothing away twice.
#[test]
fn down_and_up() {
    let slots = slots(2);
    let held = [slots.try_take().expect("free"), slots.try_take().expect("free")];
    slots.set_limit(1).expect("in range");
    slots.set_limit(3).expect("in range");
    let third = slots.try_take().expect("free");
    assert!(slots.try_take().is_err());
    drop((held, third));
    assert_idle(&slots);
}
