use std::time::Duration;

use seaworthy_store::sqlite::SqliteStore;
use seaworthy_store::{ErrorClass, time};
use sqlx::Executor;

use super::{Directory, numbers, stranger, with_numbers, write};

/// CO-21: who waits to write in a process is served in the order of asking.
#[tokio::test]
async fn first_come_first_served() {
    let directory = Directory::new();
    let store = SqliteStore::open(directory.file()).await.expect("a new file");
    with_numbers(&store).await;
    let first = store.writing("test").await.expect("nobody writes");
    let mut tasks = Vec::new();
    for number in 0..20 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move { write(&store, number).await }));
        // One thread: it is in the queue before the next is made.
        tokio::task::yield_now().await;
    }
    assert_eq!(numbers(&store).await, [0; 0], "those who read do not wait");
    first.commit().await.expect("committed");
    for task in tasks {
        task.await.expect("no panic").expect("written");
    }
    assert_eq!(numbers(&store).await, (0..20).collect::<Vec<_>>());
}

/// CO-13, CO-21: while another process writes, a write is tried again within the limit of its request, and is
/// unavailable after it; one that reads does not wait. When the other is done, the next write goes through.
#[tokio::test]
async fn another_process_has_the_lock() {
    let directory = Directory::new();
    let limit = Duration::from_millis(300);
    let store = SqliteStore::builder(directory.file()).request_timeout(limit).open().await.expect("a new file");
    with_numbers(&store).await;
    let mut other = stranger(store.path()).await;

    other.execute("BEGIN IMMEDIATE").await.expect("nobody writes");
    other.execute("INSERT INTO number VALUES (7)").await.expect("written");
    let asked = time::now();
    let error = write(&store, 1).await.expect_err("locked");
    assert_eq!(error.class(), ErrorClass::Unavailable);
    assert!(asked.elapsed() >= limit && asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    assert_eq!(numbers(&store).await, [0; 0], "nothing is to be seen of what is not committed");

    // It waits while the other still writes, and is served soon after.
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { write(&store, 2).await }
    });
    time::sleep(Duration::from_millis(100)).await;
    assert!(!waiting.is_finished());
    other.execute("COMMIT").await.expect("committed");
    waiting.await.expect("no panic").expect("written");
    assert_eq!(numbers(&store).await, [7, 2], "the one that was given up is not there");
}

/// CO-21: a request that waits for another process holds up those behind it for no longer than its own limit, and
/// each of these has its own.
#[tokio::test]
async fn limits_are_each_requests_own() {
    let directory = Directory::new();
    let patient = SqliteStore::open(directory.file()).await.expect("a new file");
    with_numbers(&patient).await;
    let builder = SqliteStore::builder(directory.file());
    let hasty = builder.request_timeout(Duration::from_millis(400)).open().await.expect("the same file");
    let mut other = stranger(patient.path()).await;
    other.execute("BEGIN IMMEDIATE").await.expect("nobody writes");
    let first = tokio::spawn(async move { write(&patient, 1).await });
    tokio::task::yield_now().await;
    let error = write(&hasty, 2).await.expect_err("behind one that waits");
    assert_eq!(error.class(), ErrorClass::Unavailable);
    other.execute("ROLLBACK").await.expect("rolled back");
    first.await.expect("no panic").expect("written");
    assert_eq!(numbers(&hasty).await, [1]);
}

/// CO-14: a write for which there is no room is full and leaves nothing, and the one after it goes through as soon as
/// there is room.
#[tokio::test]
async fn no_room() {
    let directory = Directory::new();
    let store = SqliteStore::builder(directory.file()).max_size(128 * 1024).open().await.expect("a new file");
    let mut writing = store.writing("test").await.expect("nobody writes");
    super::run(&mut writing, "CREATE TABLE number (n integer)").await;
    super::run(&mut writing, "CREATE TABLE load (bytes blob)").await;
    super::run(&mut writing, "INSERT INTO load VALUES (zeroblob(64 * 1024))").await;
    writing.commit().await.expect("committed");

    let mut writing = store.writing("test").await.expect("nobody writes");
    super::run(&mut writing, "INSERT INTO number VALUES (1)").await;
    let insert = sqlx::query("INSERT INTO load VALUES (zeroblob(128 * 1024))").execute(writing.connection()).await;
    let error = seaworthy_store::sqlite::classified("test", insert.expect_err("too long"));
    assert_eq!(error.class(), ErrorClass::Full);
    drop(writing);
    assert_eq!(numbers(&store).await, [0; 0], "nothing half written");

    let mut writing = store.writing("test").await.expect("the next one writes");
    super::run(&mut writing, "DELETE FROM load").await;
    super::run(&mut writing, "INSERT INTO number VALUES (2)").await;
    super::run(&mut writing, "INSERT INTO load VALUES (zeroblob(64 * 1024))").await;
    writing.commit().await.expect("committed");
    assert_eq!(numbers(&store).await, [2]);
}
