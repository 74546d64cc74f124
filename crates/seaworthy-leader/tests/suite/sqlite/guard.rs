use seaworthy_leader::sqlite::SqliteElector;
use seaworthy_leader::store::{Acquired, FencingStore, LeaseStore};
use seaworthy_leader::{ErrorClass, FenceError};
use sqlx::{Executor, query_scalar};

use super::{Clock, Directory, TTL, acquire, bid, granted, opened, read, store};
use crate::doubles::millis;

/// LE-51: from the guard to the end of its transaction nobody is granted the name, although its lease is over
/// meanwhile, and whatever the transaction was begun with; then the old epoch is no fence any more.
#[tokio::test]
async fn le_51_no_grant_before_the_commit() {
    for (begin, end) in [("BEGIN IMMEDIATE", "COMMIT"), ("BEGIN", "COMMIT"), ("BEGIN EXCLUSIVE", "ROLLBACK")] {
        let (directory, clock) = (Directory::new(), Clock::new());
        let engine = opened(clock.of(directory.builder())).await;
        let elsewhere = opened(clock.of(directory.elsewhere())).await;
        let held = granted(&engine, "a").await;
        let mut transaction = directory.stranger().await;
        transaction.execute(begin).await.expect("free");
        assert!(engine.guard(&mut transaction, &held.name, 1, TTL).await.expect("up"));
        clock.forward(TTL);
        let waiting = tokio::spawn(async move { acquire(&elsewhere, &bid("a")).await });
        seaworthy_store::time::sleep(millis(200)).await;
        assert!(!waiting.is_finished(), "{begin}");
        assert_eq!(read(&engine, "a").await, None, "it is over, but not taken");
        transaction.execute("CREATE TABLE written (id integer)").await.expect("ours");
        transaction.execute(end).await.expect("ours");
        assert_eq!(waiting.await.expect("it ends"), Acquired::Granted { epoch: 2, before: 1 }, "{begin}");

        transaction.execute(begin).await.expect("free");
        assert!(!engine.guard(&mut transaction, &held.name, 1, TTL).await.expect("up"), "{begin}");
        assert!(engine.guard(&mut transaction, &held.name, 2, TTL).await.expect("up"), "{begin}");
        transaction.execute("ROLLBACK").await.expect("ours");
    }
}

/// LE-51: a lease that is over is no fence, although nobody took it; nor is one that was released, another's name, or
/// an epoch that is not the row's.
#[tokio::test]
async fn le_51_what_is_no_fence() {
    let (directory, clock) = (Directory::new(), Clock::new());
    let engine = opened(clock.of(directory.builder())).await;
    granted(&engine, "a").await;
    let released = granted(&engine, "released").await;
    engine.release(&released.name, released.term).await.expect("up");
    let mut transaction = directory.stranger().await;
    transaction.execute("BEGIN IMMEDIATE").await.expect("free");
    for (name, epoch, holds) in
        [("a", 1, true), ("a", 0, false), ("a", 2, false), ("released", 1, false), ("b", 1, false)]
    {
        assert_eq!(
            engine.guard(&mut transaction, &name.into(), epoch, TTL).await.expect("up"),
            holds,
            "{name} {epoch}"
        );
    }
    clock.forward(TTL);
    assert!(!engine.guard(&mut transaction, &"a".into(), 1, TTL).await.expect("up"), "over");
    transaction.execute("ROLLBACK").await.expect("ours");
}

/// LE-51: outside of a transaction there is nothing to guard, which is refused, and leaves none behind.
#[tokio::test]
async fn le_51_no_transaction() {
    let (directory, clock) = (Directory::new(), Clock::new());
    let engine = opened(clock.of(directory.builder())).await;
    let held = granted(&engine, "a").await;
    let mut connection = directory.stranger().await;
    let refused = engine.guard(&mut connection, &held.name, 1, TTL).await.expect_err("nothing is guarded");
    assert_eq!(refused.class(), ErrorClass::Refused);
    connection.execute("BEGIN IMMEDIATE").await.expect("no transaction was left");
    assert!(engine.guard(&mut connection, &held.name, 1, TTL).await.expect("up"));
    connection.execute("ROLLBACK").await.expect("ours");
}

/// LE-51: a guard changes nothing, and a transaction that is dropped after it leaves nothing.
#[tokio::test]
async fn le_51_a_guard_changes_nothing() {
    let (directory, clock) = (Directory::new(), Clock::new());
    let engine = opened(clock.of(directory.builder())).await;
    let held = granted(&engine, "a").await;
    let before = read(&engine, "a").await;
    let mut transaction = directory.stranger().await;
    transaction.execute("BEGIN IMMEDIATE").await.expect("free");
    assert!(engine.guard(&mut transaction, &held.name, 1, TTL).await.expect("up"));
    transaction.execute("COMMIT").await.expect("ours");
    assert_eq!(read(&engine, "a").await, before);
    let mut dropped = directory.stranger().await;
    dropped.execute("BEGIN IMMEDIATE").await.expect("free");
    assert!(engine.guard(&mut dropped, &held.name, 1, TTL).await.expect("up"));
    drop(dropped);
    engine.release(&held.name, held.term).await.expect("it is not locked any more");
    assert_eq!(granted(&engine, "a").await.epoch, 2);
}

/// LE-51, CO-14: a transaction that has read before another wrote cannot be guarded: that is an error, after which it
/// can only be rolled back, and not an answer.
#[tokio::test]
async fn le_51_a_transaction_that_read_too_early() {
    let directory = Directory::new();
    let engine = directory.engine().await;
    let held = granted(&engine, "a").await;
    let mut transaction = directory.stranger().await;
    transaction.execute("BEGIN").await.expect("free");
    let _rows: i64 =
        query_scalar("SELECT count(*) FROM seaworthy_lease").fetch_one(&mut transaction).await.expect("up");
    granted(&engine, "b").await;
    let error = engine.guard(&mut transaction, &held.name, 1, TTL).await.expect_err("it saw an older state");
    assert_eq!(error.class(), ErrorClass::Unavailable);
}

/// LE-51: a term guards a transaction while it is valid, and refuses when it was lost, by the row or by itself.
#[tokio::test]
async fn le_51_terms_guard() {
    let directory = Directory::new();
    let elector = SqliteElector::on(&store(directory.builder()).await).build().expect("it fits");
    let term = elector.campaign("a").await.expect("free");
    let mut transaction = directory.stranger().await;
    transaction.execute("BEGIN IMMEDIATE").await.expect("free");
    term.guard(&mut transaction).await.expect("it leads");
    transaction.execute("UPDATE seaworthy_lease SET epoch = 2").await.expect("ours");
    let error = term.guard(&mut transaction).await.expect_err("another leads");
    assert!(term.is_valid() && error.is_over(), "{error}");
    assert_eq!(error.to_string(), "the term of a with epoch 1 is over");
    transaction.execute("DROP TABLE seaworthy_lease").await.expect("ours");
    let error = term.guard(&mut transaction).await.expect_err("no table");
    assert!(matches!(&error, FenceError::Store(error) if error.class() == ErrorClass::Refused), "{error}");
    transaction.execute("ROLLBACK").await.expect("ours");
    term.resign().await;
}

/// LE-51: a guard outside of a transaction that is dropped at any point leaves none behind.
#[tokio::test]
async fn le_51_dropped() {
    let (directory, clock) = (Directory::new(), Clock::new());
    let engine = opened(clock.of(directory.builder())).await;
    let held = granted(&engine, "a").await;
    for polls in 1..6 {
        let mut connection = directory.stranger().await;
        let mut guarding = Box::pin(engine.guard(&mut connection, &held.name, 1, TTL));
        for _ in 0..polls {
            let once = std::future::poll_fn(|cx| std::task::Poll::Ready(guarding.as_mut().poll(cx).is_ready()));
            if once.await {
                break;
            }
            seaworthy_store::time::sleep(millis(20)).await;
        }
        drop(guarding);
        connection.execute("BEGIN IMMEDIATE").await.expect("no transaction was left");
        connection.execute("ROLLBACK").await.expect("ours");
    }
}
