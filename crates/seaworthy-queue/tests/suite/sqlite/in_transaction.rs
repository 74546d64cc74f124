use std::time::Duration;

use seaworthy_queue::sqlite::{Sqlite, SqliteStore};
use seaworthy_queue::{EnqueueRequest, Enqueued, ErrorClass, Headers, Queue, QueueError};
use sqlx::{Connection, Executor, query_scalar};

use super::{Directory, counts, id, ids};
use crate::consumer::Number;

async fn queue(directory: &Directory) -> Queue<Number, Sqlite> {
    let store = SqliteStore::open(directory.file()).await.expect("a file of our own");
    let queue = Queue::sqlite("numbers", &store).max_payload(64).build().expect("the defaults");
    queue.store().migrate().await.expect("installed");
    queue
}

/// QU-05: a job that is enqueued in a transaction of the caller's is there with its commit and not before, with what else
/// that wrote.
#[tokio::test]
async fn there_with_the_commit() {
    let directory = Directory::new();
    let queue = queue(&directory).await;
    let mut ours = directory.stranger().await;
    ours.execute("CREATE TABLE tenant (name text)").await.expect("made");
    let mut transaction = ours.begin_with("BEGIN IMMEDIATE").await.expect("begun");
    transaction.execute("INSERT INTO tenant VALUES ('acme')").await.expect("inserted");
    let mut headers = Headers::default();
    headers.insert("traceparent", "00-ab-cd-01").expect("a header");
    let request = EnqueueRequest::new(Number(7)).id(id("seven")).headers(headers.clone());
    let enqueued = queue.enqueue_in(&mut transaction, request).await.expect("up");
    assert_eq!(enqueued, Enqueued::New(id("seven")));
    let again = EnqueueRequest::new(Number(8)).id(id("seven"));
    assert_eq!(queue.enqueue_in(&mut transaction, again).await.expect("up"), Enqueued::Already(id("seven")));
    let two = [1, 2].map(|number| EnqueueRequest::new(Number(number)).after(Duration::from_secs(60)));
    assert!(queue.enqueue_many_in(&mut transaction, two).await.expect("up").iter().all(Enqueued::is_new));
    assert_eq!(queue.enqueue_many_in(&mut transaction, []).await.expect("nothing was asked"), []);
    assert_eq!(counts(queue.store()).await, (0, 0, 0, 0));
    assert!(ids(queue.store(), 9).await.is_empty());
    transaction.commit().await.expect("committed");
    assert_eq!(counts(queue.store()).await, (1, 2, 0, 0));
    let (_, taken) = super::one(queue.store()).await;
    assert_eq!((taken.id, taken.headers, &*taken.body), (id("seven"), headers, &b"7"[..]));
}

/// QU-05: after a rollback the job never was, nor after the caller's connection was dropped in the middle.
#[tokio::test]
async fn gone_with_the_rollback() {
    let directory = Directory::new();
    let queue = queue(&directory).await;
    for way in 0..2 {
        let mut ours = directory.stranger().await;
        ours.execute("CREATE TABLE IF NOT EXISTS tenant (name text)").await.expect("made");
        ours.execute("BEGIN IMMEDIATE").await.expect("begun");
        ours.execute("INSERT INTO tenant VALUES ('acme')").await.expect("inserted");
        let request = EnqueueRequest::new(Number(7)).id(id("seven"));
        assert!(queue.enqueue_in(&mut ours, request).await.expect("up").is_new());
        match way {
            0 => drop(ours.execute("ROLLBACK").await.expect("rolled back")),
            _ => ours.close().await.expect("closed"),
        }
        assert_eq!(counts(queue.store()).await, (0, 0, 0, 0));
        let mut other = directory.stranger().await;
        let tenants: i64 = query_scalar("SELECT count(*) FROM tenant").fetch_one(&mut other).await.expect("read");
        assert_eq!(tenants, 0);
    }
    assert!(queue.enqueue(EnqueueRequest::new(Number(7)).id(id("seven"))).await.expect("up").is_new());
}

/// QU-04, QU-05: what is refused before the store is asked leaves the transaction as it was; a queue that is full is an
/// error in it.
#[tokio::test]
async fn refused_in_the_transaction() {
    let directory = Directory::new();
    let store = SqliteStore::open(directory.file()).await.expect("a file of our own");
    let queue: Queue<Number, Sqlite> =
        Queue::sqlite("numbers", &store).max_payload(3).max_len(2).build().expect("fine");
    queue.store().migrate().await.expect("installed");
    let mut ours = directory.stranger().await;
    ours.execute("BEGIN IMMEDIATE").await.expect("begun");
    let error = queue.enqueue_in(&mut ours, Number(1_000)).await.expect_err("four bytes");
    assert!(matches!(error, QueueError::TooLarge { len: 4, most: 3 }), "{error}");
    let twice = [1, 2].map(|number| EnqueueRequest::new(Number(number)).id(id("same")));
    assert!(matches!(queue.enqueue_many_in(&mut ours, twice).await, Err(QueueError::Request(_))));
    for number in 0..2 {
        assert!(queue.enqueue_in(&mut ours, Number(number)).await.expect("there is room").is_new());
    }
    ours.execute("COMMIT").await.expect("committed");
    ours.execute("BEGIN IMMEDIATE").await.expect("begun");
    let error = queue.enqueue_in(&mut ours, Number(3)).await.expect_err("full");
    assert_eq!(error.class(), Some(ErrorClass::Full));
    ours.execute("ROLLBACK").await.expect("rolled back");
    assert_eq!(counts(queue.store()).await, (2, 0, 0, 0));
}

/// QU-05: it takes the file's lock itself, so that a transaction that begins with it never meets a writer in its middle.
#[tokio::test]
async fn it_takes_the_lock() {
    let directory = Directory::new();
    let queue = queue(&directory).await;
    let (mut ours, mut other) = (directory.stranger().await, directory.stranger().await);
    other.execute("PRAGMA busy_timeout = 0").await.expect("set");
    ours.execute("BEGIN").await.expect("begun");
    assert!(queue.enqueue_in(&mut ours, Number(1)).await.expect("up").is_new());
    assert!(other.execute("BEGIN IMMEDIATE").await.is_err(), "the file is locked");
    ours.execute("COMMIT").await.expect("committed");
    other.execute("BEGIN IMMEDIATE").await.expect("the file is free");
}
