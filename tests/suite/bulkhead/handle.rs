use seaworthy::{BoxError, Bulkhead, Error, Rejected};
use tokio_test::{assert_pending, assert_ready, task};

use super::{assert_idle, bulkhead, is_full, patient};
use crate::support::{SECOND, advance};

/// BH-12: `try_acquire` works without tower.
#[test]
fn try_acquire() {
    let bulkhead = bulkhead(2);
    let (one, two) = (bulkhead.try_acquire().expect("free"), bulkhead.try_acquire().expect("free"));
    let rejected = bulkhead.try_acquire().expect_err("full");
    assert_eq!(rejected, Rejected::BulkheadFull { name: "ship".into(), retry_after: None.into() });
    assert_eq!((rejected.retry_after(), rejected.is_before_call()), (None, true));
    drop(one);
    assert_eq!(bulkhead.available(), 1);
    assert_eq!(two.bulkhead().in_use(), 1);
    drop(two);
    assert_idle(&bulkhead);
}

/// BH-12: `acquire` waits as the bulkhead was configured to; before its first poll it holds nothing.
#[tokio::test(start_paused = true)]
async fn take() {
    let bulkhead = patient(1);
    let take = bulkhead.acquire();
    assert_idle(&bulkhead);
    let permit = take.await.expect("free");
    let mut waiter = task::spawn(bulkhead.acquire());
    assert_pending!(waiter.poll());
    drop(permit);
    assert!(waiter.is_woken());
    let permit = assert_ready!(waiter.poll()).expect("granted");
    let mut in_vain = task::spawn(permit.bulkhead().acquire());
    assert_pending!(in_vain.poll());
    advance(SECOND).await;
    assert!(assert_ready!(in_vain.poll()).is_err());
    drop(permit);
    assert_idle(&bulkhead);
}

/// BH-12: `run` does all of this for one future, which is polled only with a permit.
#[tokio::test(start_paused = true)]
async fn run() {
    let bulkhead = patient(1);
    let seen = bulkhead.run(async { Ok::<_, BoxError>(bulkhead.in_use()) }).await;
    assert_eq!(seen.expect("free"), 1);
    let failed: Result<(), Error<&str>> = bulkhead.run(async { Err(Error::Inner("leak")) }).await;
    assert_eq!(failed, Err(Error::Inner("leak")));
    assert_idle(&bulkhead);

    let permit = bulkhead.try_acquire().expect("free");
    let mut waiting = task::spawn(bulkhead.run(async { Ok::<_, BoxError>(7) }));
    let mut in_vain = task::spawn(bulkhead.run(untouched()));
    assert_pending!(waiting.poll());
    assert_pending!(in_vain.poll());
    drop(permit);
    assert_eq!(assert_ready!(waiting.poll()).expect("granted"), 7);
    let permit = bulkhead.try_acquire();
    assert!(permit.is_err(), "the next who waits has it");
    drop(in_vain);
    assert_idle(&bulkhead);

    let _permit = bulkhead.try_acquire().expect("free");
    let mut in_vain = task::spawn(bulkhead.run(untouched()));
    assert_pending!(in_vain.poll());
    advance(SECOND).await;
    assert!(is_full(&assert_ready!(in_vain.poll())));
}

/// BH-12: the same through a leaked handle, which is the same bulkhead.
#[tokio::test(start_paused = true)]
async fn leaked() {
    let shared = patient(1);
    let leaked: Bulkhead = shared.clone().leak().leak();
    let permit = leaked.acquire().await.expect("free");
    assert_eq!((shared.in_use(), leaked.clone().in_use()), (1, 1));
    let mut waiter = task::spawn(leaked.acquire());
    assert_pending!(waiter.poll());
    drop(permit);
    assert!(assert_ready!(waiter.poll()).is_ok());
    assert_idle(&shared);
}

async fn untouched() -> Result<(), BoxError> {
    panic!("polled without a permit")
}

/// HC-09: a full bulkhead returns the time that was set, at once and after a wait, and so does each of a family; no
/// time if none was set. Zero is an error.
#[tokio::test(start_paused = true)]
async fn hc_09_when_to_come_again() {
    use std::time::Duration;
    let time = Duration::from_millis(1_500);
    let wait = Duration::from_secs(1);
    let builder = Bulkhead::builder("ship").limit(1).max_wait(wait).max_queued(1).retry_after(time);
    let family = builder.clone().keyed::<u8>().build().unwrap();
    for bulkhead in [builder.build().unwrap(), family.get(&1).clone()] {
        let _permit = bulkhead.try_acquire().unwrap();
        assert_eq!(bulkhead.try_acquire().unwrap_err().retry_after(), Some(time));
        assert_eq!(bulkhead.acquire().await.unwrap_err().retry_after(), Some(time));
    }
    let bulkhead = Bulkhead::builder("ship").limit(1).build().unwrap();
    let _permit = bulkhead.try_acquire().unwrap();
    assert_eq!(bulkhead.try_acquire().unwrap_err().retry_after(), None);
    let error = Bulkhead::builder("ship").retry_after(Duration::ZERO).build().unwrap_err();
    assert_eq!(error.field(), "retry_after");
}
