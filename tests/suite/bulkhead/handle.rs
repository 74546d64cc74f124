use seaworthy::{BoxError, Error, Rejected, Slots};
use tokio_test::{assert_pending, assert_ready, task};

use super::{assert_idle, is_full, patient, slots};
use crate::support::{SECOND, advance};

/// BH-12: `try_take` serves without tower.
#[test]
fn try_take() {
    let slots = slots(2);
    let (one, two) = (slots.try_take().expect("free"), slots.try_take().expect("free"));
    let rejected = slots.try_take().expect_err("full");
    assert_eq!(rejected, Rejected::BulkheadFull { name: "ship".into(), retry_after: None.into() });
    assert_eq!((rejected.retry_after(), rejected.is_before_call()), (None, true));
    drop(one);
    assert_eq!(slots.available(), 1);
    assert_eq!(two.slots().in_use(), 1);
    drop(two);
    assert_idle(&slots);
}

/// BH-12: `take` waits as the bulkhead was built to; before its first poll it holds nothing.
#[tokio::test(start_paused = true)]
async fn take() {
    let slots = patient(1);
    let take = slots.take();
    assert_idle(&slots);
    let slot = take.await.expect("free");
    let mut waiter = task::spawn(slots.take());
    assert_pending!(waiter.poll());
    drop(slot);
    assert!(waiter.is_woken());
    let slot = assert_ready!(waiter.poll()).expect("granted");
    let mut in_vain = task::spawn(slot.slots().take());
    assert_pending!(in_vain.poll());
    advance(SECOND).await;
    assert!(assert_ready!(in_vain.poll()).is_err());
    drop(slot);
    assert_idle(&slots);
}

/// BH-12: `run` does all of it for one future, which is polled only with a slot.
#[tokio::test(start_paused = true)]
async fn run() {
    let slots = patient(1);
    let seen = slots.run(async { Ok::<_, BoxError>(slots.in_use()) }).await;
    assert_eq!(seen.expect("free"), 1);
    let failed: Result<(), Error<&str>> = slots.run(async { Err(Error::Inner("leak")) }).await;
    assert_eq!(failed, Err(Error::Inner("leak")));
    assert_idle(&slots);

    let slot = slots.try_take().expect("free");
    let mut waiting = task::spawn(slots.run(async { Ok::<_, BoxError>(7) }));
    let mut in_vain = task::spawn(slots.run(untouched()));
    assert_pending!(waiting.poll());
    assert_pending!(in_vain.poll());
    drop(slot);
    assert_eq!(assert_ready!(waiting.poll()).expect("granted"), 7);
    let slot = slots.try_take();
    assert!(slot.is_err(), "the next who waits has it");
    drop(in_vain);
    assert_idle(&slots);

    let _slot = slots.try_take().expect("free");
    let mut in_vain = task::spawn(slots.run(untouched()));
    assert_pending!(in_vain.poll());
    advance(SECOND).await;
    assert!(is_full(&assert_ready!(in_vain.poll())));
}

/// BH-12: the same through a leaked handle, which is the same bulkhead.
#[tokio::test(start_paused = true)]
async fn leaked() {
    let shared = patient(1);
    let leaked: Slots = shared.clone().leak().leak();
    let slot = leaked.take().await.expect("free");
    assert_eq!((shared.in_use(), leaked.clone().in_use()), (1, 1));
    let mut waiter = task::spawn(leaked.take());
    assert_pending!(waiter.poll());
    drop(slot);
    assert!(assert_ready!(waiter.poll()).is_ok());
    assert_idle(&shared);
}

async fn untouched() -> Result<(), BoxError> {
    panic!("polled without a slot")
}

/// HC-09: a full bulkhead tells the time that was set, at once and after a wait, and each of a family does; nothing if none
/// was set. Zero is an error.
#[tokio::test(start_paused = true)]
async fn hc_09_when_to_come_again() {
    use std::time::Duration;
    let time = Duration::from_millis(1_500);
    let wait = Duration::from_secs(1);
    let builder = Slots::builder("ship").limit(1).max_wait(wait).max_waiting(1).retry_after(time);
    let family = builder.clone().keyed::<u8>().build().unwrap();
    for slots in [builder.build().unwrap(), family.get(&1).clone()] {
        let _slot = slots.try_take().unwrap();
        assert_eq!(slots.try_take().unwrap_err().retry_after(), Some(time));
        assert_eq!(slots.take().await.unwrap_err().retry_after(), Some(time));
    }
    let slots = Slots::builder("ship").limit(1).build().unwrap();
    let _slot = slots.try_take().unwrap();
    assert_eq!(slots.try_take().unwrap_err().retry_after(), None);
    let error = Slots::builder("ship").retry_after(Duration::ZERO).build().unwrap_err();
    assert_eq!(error.field(), "retry_after");
}
