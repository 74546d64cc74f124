//! A process that has the file's lock.

use std::time::{Duration, Instant};

use seaworthy_ledger::sqlite::SqliteStore;
use seaworthy_ledger::{Claimed, ErrorClass, Key, Ledger};
use seaworthy_store::sqlite::classified;

use crate::file::InFile;
use crate::processes::{LIMIT, Place};

/// CO-13, CO-21: while a process that is in the middle of a write is stopped, others who want to write are unavailable
/// after their limit, each time, and those who read go on. Killed, it leaves the lock and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_stopped_process() {
    let space = InFile::new();
    let database = space.database().await;
    let limit = Duration::from_millis(600);
    let builder = SqliteStore::builder(database.sqlite_store().path()).request_timeout(limit);
    let store = builder.open().await.expect("the same file");
    let ledger = Ledger::sqlite("drill", &store).build().expect("the defaults");
    let done = Key::new("drill", "done").expect("a key");
    let Claimed::Mine(claim) = ledger.claim(&done).await.expect("up") else { panic!("a new file") };
    assert!(claim.complete("42").await.expect("up").is_yes());

    let worker = tokio::task::block_in_place(|| {
        let worker = space.worker("writer", "write", &[]);
        space.journals().wait_for(LIMIT, |line| line.entry.is_note("writing"));
        worker.stop();
        worker
    });
    let fresh = Key::new("drill", "fresh").expect("a key");
    for _ in 0..5 {
        let asked = Instant::now();
        let error = ledger.claim(&fresh).await.expect_err("the file is locked");
        assert_eq!(error.class(), Some(ErrorClass::Unavailable));
        let elapsed = asked.elapsed();
        assert!(elapsed >= limit && elapsed < Duration::from_secs(3), "{elapsed:?}");
        assert!(matches!(ledger.claim(&done).await.expect("reading goes on"), Claimed::Done(_)));
    }
    tokio::task::block_in_place(|| worker.kill9());
    assert!(matches!(ledger.claim(&fresh).await.expect("nobody has the lock"), Claimed::Mine(_)));
    let mut reading = store.reading("test").await.expect("up");
    let left = sqlx::query("SELECT * FROM effect").fetch_all(reading.connection()).await;
    reading.done();
    assert_eq!(left.map_err(|error| classified("test", error)).expect("up").len(), 0, "nothing of it is left");
    ledger.close().await;
}
