use tokio_test::{assert_pending, assert_ready, task};

use super::{assert_idle, bulkhead, patient};

/// BH-07: a waiter that was granted a permit and not polled since counts as in use; nothing else gets that permit.
#[tokio::test(start_paused = true)]
async fn granted_and_not_noticed() {
    let bulkhead = patient(1);
    let permit = bulkhead.try_acquire().expect("free");
    let mut waiter = task::spawn(bulkhead.acquire());
    assert_pending!(waiter.poll());
    assert_eq!((bulkhead.in_use(), bulkhead.queued(), bulkhead.available()), (1, 1, 0));
    drop(permit);
    assert_eq!((bulkhead.in_use(), bulkhead.queued(), bulkhead.available()), (1, 0, 0));
    assert!(bulkhead.try_acquire().is_err());
    drop(assert_ready!(waiter.poll()));
    assert!(bulkhead.try_acquire().is_ok());
}

/// BH-07: additional permits go at once to the waiters, in order, and the rest are free.
#[tokio::test(start_paused = true)]
async fn up() {
    let bulkhead = patient(1);
    let _permit = bulkhead.try_acquire().expect("free");
    let mut waiters: Vec<_> = (0..4).map(|_| task::spawn(bulkhead.acquire())).collect();
    waiters.iter_mut().for_each(|waiter| assert_pending!(waiter.poll()));
    bulkhead.set_limit(3).expect("in range");
    assert_eq!(waiters.iter().map(|waiter| waiter.is_woken()).collect::<Vec<_>>(), [true, true, false, false]);
    assert_eq!((bulkhead.limit(), bulkhead.in_use(), bulkhead.queued(), bulkhead.available()), (3, 3, 2, 0));
    assert!(bulkhead.try_acquire().is_err());
    bulkhead.set_limit(9).expect("in range");
    assert_eq!((bulkhead.in_use(), bulkhead.queued(), bulkhead.available()), (5, 0, 4));
    assert!(waiters.iter_mut().all(|waiter| assert_ready!(waiter.poll()).is_ok()));
}

/// BH-07: a lower limit takes effect as calls end; running calls are not touched, and none is let in until enough have
/// ended.
#[tokio::test(start_paused = true)]
async fn down() {
    let bulkhead = patient(3);
    let mut held: Vec<_> = (0..3).map(|_| bulkhead.try_acquire().expect("free")).collect();
    bulkhead.set_limit(1).expect("in range");
    assert_eq!((bulkhead.limit(), bulkhead.in_use(), bulkhead.available()), (1, 3, 0));
    let mut waiter = task::spawn(bulkhead.acquire());
    assert_pending!(waiter.poll());
    held.pop();
    held.pop();
    assert_eq!((bulkhead.in_use(), bulkhead.queued()), (1, 1));
    assert!(!waiter.is_woken());
    held.pop();
    assert!(waiter.is_woken());
    assert!(assert_ready!(waiter.poll()).is_ok());
    assert_idle(&bulkhead);
}

/// BH-07: down and up again while calls run grants no permit twice.
#[test]
fn down_and_up() {
    let bulkhead = bulkhead(2);
    let held = [bulkhead.try_acquire().expect("free"), bulkhead.try_acquire().expect("free")];
    bulkhead.set_limit(1).expect("in range");
    bulkhead.set_limit(3).expect("in range");
    let third = bulkhead.try_acquire().expect("free");
    assert!(bulkhead.try_acquire().is_err());
    drop((held, third));
    assert_idle(&bulkhead);
}
