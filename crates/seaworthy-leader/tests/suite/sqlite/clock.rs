use std::time::Duration;

use seaworthy_leader::store::{Acquired, FencingStore, LeaseStore, Renewal, RowTime};

use super::{CANDIDATE, Clock, Directory, TTL, WHENEVER, acquire, bid, granted, opened, read, renew};

const MOMENT: Duration = Duration::from_micros(1);

/// CO-22, LE-16: a machine's clock that is stepped forward ends leases early; what is over is neither renewed nor a
/// fence any more, although nobody took it.
#[tokio::test]
async fn stepped_forward() {
    let (directory, clock) = (Directory::new(), Clock::new());
    let engine = opened(clock.of(directory.builder())).await;
    let first = granted(&engine, "a").await;
    clock.forward(TTL - MOMENT);
    assert_eq!(read(&engine, "a").await.map(|row| row.left), Some(MOMENT));
    assert!(matches!(acquire(&engine, &bid("a")).await, Acquired::Held(row) if row.left == MOMENT));
    clock.forward(MOMENT);
    assert_eq!(read(&engine, "a").await, None);
    assert_eq!(renew(&engine, &first).await, Renewal::Lost);
    assert!(!guarded(&engine, &directory, 1).await);
    let second = granted(&engine, "a").await;
    assert_eq!((first.epoch, second.epoch), (1, 2));
    assert_eq!(renew(&engine, &first).await, Renewal::Lost);
    assert_eq!(renew(&engine, &second).await, Renewal::Renewed);
}

/// CO-22: a machine's clock that is stepped back by less than a lease, or by just that, keeps the lease, which is said
/// to last for no more than its length; it can be renewed, and is a fence.
#[tokio::test]
async fn stepped_back_a_little() {
    for step in [MOMENT, TTL / 2, TTL] {
        let (directory, clock) = (Directory::new(), Clock::new());
        let engine = opened(clock.of(directory.builder())).await;
        let first = granted(&engine, "a").await;
        clock.back(step);
        assert!(matches!(acquire(&engine, &bid("a")).await, Acquired::Held(row) if row.left == TTL), "{step:?}");
        assert!(guarded(&engine, &directory, 1).await);
        assert_eq!(renew(&engine, &first).await, Renewal::Renewed);
        // From now on it goes by the clock as it is now.
        clock.forward(TTL - MOMENT);
        assert_eq!(read(&engine, "a").await.map(|row| row.left), Some(MOMENT));
        clock.forward(MOMENT);
        assert_eq!(granted(&engine, "a").await.epoch, 2);
    }
}

/// CO-22: a machine's clock that is stepped back by more than a lease ends it, so that it does not last for as long as
/// the step was; also after the lease was renewed, from when it counts.
#[tokio::test]
async fn stepped_back_by_more_than_a_lease() {
    for renewed in [false, true] {
        let (directory, clock) = (Directory::new(), Clock::new());
        let engine = opened(clock.of(directory.builder())).await;
        let first = granted(&engine, "a").await;
        granted(&engine, "b").await;
        if renewed {
            clock.forward(TTL / 3);
            assert_eq!(renew(&engine, &first).await, Renewal::Renewed);
        }
        clock.back(TTL + MOMENT);
        // The other's lease began a third of a lease earlier, and so is not over by this clock.
        assert_eq!(read(&engine, "b").await.is_some(), renewed);
        assert_eq!(read(&engine, "a").await, None);
        assert!(!guarded(&engine, &directory, 1).await);
        assert_eq!(renew(&engine, &first).await, Renewal::Lost);
        assert_eq!(granted(&engine, "a").await.epoch, 2);
    }
}

/// CO-22: what was released stays so, whichever way the clock is stepped.
#[tokio::test]
async fn a_step_brings_nothing_back() {
    for (forward, step) in [(false, MOMENT), (false, TTL / 2), (false, TTL * 2), (true, MOMENT), (true, TTL * 2)] {
        let (directory, clock) = (Directory::new(), Clock::new());
        let engine = opened(clock.of(directory.builder())).await;
        let first = granted(&engine, "a").await;
        engine.release(&first.name, first.term).await.expect("up");
        if forward {
            clock.forward(step)
        } else {
            clock.back(step)
        }
        assert_eq!(read(&engine, "a").await, None, "{forward} {step:?}");
        assert_eq!(renew(&engine, &first).await, Renewal::Lost);
        assert_eq!(granted(&engine, "a").await.epoch, 2);
    }
}

/// LE-13: what waited for the lock until it was too late does nothing, and says so: the time is looked at when the lock
/// is there.
#[tokio::test]
async fn late_after_a_wait() {
    let (directory, clock) = (Directory::new(), Clock::new());
    let engine = opened(clock.of(directory.builder())).await;
    let held = granted(&engine, "a").await;
    let at = engine.read(&[]).await.expect("up").at;
    let begin_by = at.after(Duration::from_secs(2));
    let mut other = directory.stranger().await;
    sqlx::Executor::execute(&mut other, "BEGIN IMMEDIATE").await.expect("it is free");
    let waiting = tokio::spawn({
        let (engine, held) = (engine.clone(), held.clone());
        async move {
            let bids = [bid("a"), bid("b")];
            let acquired = engine.acquire(&CANDIDATE, &bids, begin_by).await.expect("up");
            let renewed = engine.renew(&[held], TTL, begin_by).await.expect("up");
            (acquired, renewed)
        }
    });
    seaworthy_store::time::sleep(Duration::from_millis(100)).await;
    assert!(!waiting.is_finished());
    clock.forward(Duration::from_secs(2) + MOMENT);
    sqlx::Executor::execute(&mut other, "COMMIT").await.expect("it was ours");
    let (acquired, renewed) = waiting.await.expect("it ends");
    assert_eq!(acquired.each, [Acquired::Late, Acquired::Late]);
    assert_eq!((renewed.each, renewed.at), (vec![Renewal::Late], RowTime(begin_by.0 + 1)));
    assert_eq!(read(&engine, "b").await, None);
    assert_eq!(read(&engine, "a").await.map(|row| row.left), Some(TTL - Duration::from_secs(2) - MOMENT));
}

/// LE-02: followers of somebody whose lease is live wait for no lock.
#[tokio::test]
async fn followers_take_no_lock() {
    let directory = Directory::new();
    let engine = directory.engine().await;
    granted(&engine, "a").await;
    let mut other = directory.stranger().await;
    sqlx::Executor::execute(&mut other, "BEGIN EXCLUSIVE").await.expect("it is free");
    assert!(matches!(acquire(&engine, &bid("a")).await, Acquired::Held(_)));
    assert!(read(&engine, "a").await.is_some());
    // The opposite: what is free needs it.
    let bids = [bid("a"), bid("b")];
    let free = engine.acquire(&CANDIDATE, &bids, WHENEVER);
    tokio::time::timeout(Duration::from_millis(100), free).await.expect_err("it waits");
    sqlx::Executor::execute(&mut other, "ROLLBACK").await.expect("it was ours");
    let answers = engine.acquire(&CANDIDATE, &bids, WHENEVER).await.expect("up");
    assert!(matches!(&answers.each[..], [Acquired::Held(_), Acquired::Granted { epoch: 1, before: 0 }]));
}

/// By a transaction of its own, of the name `a`.
async fn guarded(engine: &seaworthy_leader::sqlite::Sqlite, directory: &Directory, epoch: u64) -> bool {
    let mut connection = directory.stranger().await;
    sqlx::Executor::execute(&mut connection, "BEGIN IMMEDIATE").await.expect("it is free");
    let guarded = engine.guard(&mut connection, &"a".into(), epoch, TTL).await.expect("up");
    sqlx::Executor::execute(&mut connection, "ROLLBACK").await.expect("it was ours");
    guarded
}
