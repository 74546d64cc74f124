use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use seaworthy_store::schema::PackageSchema;
use seaworthy_store::sqlite::SqliteStore;
use sqlx::Executor;

use super::{Directory, numbers, stranger, with_numbers, write};

/// Polls `future` up to `polls` times, whenever it asks for it, and then drops it; none if that was too early.
async fn dropped_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// IN-15: a write that is dropped at any of its awaits happens wholly or not at all, leaves no transaction, and those
/// after it go through.
#[tokio::test]
async fn a_write_at_each_await() {
    let directory = Directory::new();
    let store = SqliteStore::open(directory.file()).await.expect("a new file");
    with_numbers(&store).await;
    let mut other = stranger(store.path()).await;
    let (mut dropped, mut ended) = (0, 0);
    // After how many polls it ends is not the same each time, because the connection has a thread of its own.
    for (number, polls) in (0..=8).cycle().take(180).enumerate() {
        let number = i64::try_from(number).expect("few");
        let done = dropped_after(polls, write(&store, number)).await;
        write(&store, -1).await.expect("the writer still writes");
        other.execute("BEGIN IMMEDIATE").await.expect("no transaction is open");
        other.execute("ROLLBACK").await.expect("rolled back");
        let written = numbers(&store).await.iter().filter(|&&written| written == number).count();
        match done {
            Some(done) => {
                done.expect("written");
                assert_eq!(written, 1);
                ended += 1;
            }
            None => {
                assert!(written <= 1, "{written} after {polls} polls");
                dropped += 1;
            }
        }
    }
    assert!(dropped > 20 && ended > 20, "{dropped} dropped, {ended} ended");
}

const SCHEMA: PackageSchema = PackageSchema {
    package: "dropped",
    major: 1,
    steps: &["CREATE TABLE {p}one (n integer)", "CREATE TABLE {p}two (n integer)"],
};

/// IN-15: opening and migrating that are dropped at any of their awaits leave the file as it was or as it was to be;
/// the next ones go through.
#[tokio::test]
async fn opening_and_migrating_at_each_await() {
    for polls in 0.. {
        let directory = Directory::new();
        let done = dropped_after(polls, async {
            let store = SqliteStore::open(directory.file()).await?;
            store.migrate(&SCHEMA).await
        });
        let done = done.await.map(|done| done.expect("it was not disturbed")).is_some();
        let store = SqliteStore::open(directory.file()).await.expect("nothing is in the way");
        store.migrate(&SCHEMA).await.expect("nothing is half done");
        let mut other = stranger(store.path()).await;
        other
            .execute("BEGIN IMMEDIATE; SELECT * FROM seaworthy_one, seaworthy_two; ROLLBACK")
            .await
            .expect("both are there");
        if done {
            assert!(polls > 1, "there was something to drop: {polls}");
            break;
        }
    }
}
