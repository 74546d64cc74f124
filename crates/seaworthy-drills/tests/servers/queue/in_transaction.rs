use std::time::Duration;

use seaworthy_queue::store::{Cancelled, Entry, Producer, TransactionalProducer};
use seaworthy_queue::{EnqueueRequest, JobId, Queue};
use sqlx::{Connection, Executor};

use super::support::{Begun, Number, Space, Working, id, ids, job, millis, received, take};
use super::waking::{listens, rarely};

/// QU-05: a job that was enqueued in a transaction is there with its commit and not before, and never after a rollback.
#[tokio::test(flavor = "multi_thread")]
async fn there_with_the_commit() {
    let space = Space::of_jobs().await;
    let jobs = space.jobs().await;
    let mut session = space.session().await;
    session.run("CREATE TABLE invoice (id integer)").await;
    for (name, commits) in [("a", false), ("b", true)] {
        let mut transaction = session.0.begin().await.unwrap();
        transaction.execute("INSERT INTO invoice VALUES (17)").await.unwrap();
        let entries = jobs.enqueue_in(&mut transaction, &[job(name)], None).await.unwrap();
        assert_eq!(entries, [Entry::Accepted]);
        // Twice in one transaction is once.
        assert_eq!(jobs.enqueue_in(&mut transaction, &[job(name)], None).await.unwrap(), [Entry::Already]);
        assert!(received(&jobs, &take()).await.jobs.is_empty(), "it is not there before");
        if commits {
            transaction.commit().await.unwrap();
        } else {
            transaction.rollback().await.unwrap();
        }
        assert_eq!(ids(&received(&jobs, &take()).await), if commits { vec![name] } else { vec![] });
    }
    assert_eq!(session.number("SELECT count(*) FROM invoice").await, 1);
    assert_eq!(jobs.cancel(&id("a")).await.unwrap(), Cancelled::Unknown);
}

/// QU-05, QU-02: whoever enqueues an id that somebody's open transaction has made waits for its end: after a rollback it
/// is accepted, after a commit it is there already.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_waits_for_the_transaction() {
    let space = Space::of_jobs().await;
    let jobs = space.jobs().await;
    let mut session = space.session().await;
    for (name, commits, entry) in [("a", false, Entry::Accepted), ("b", true, Entry::Already)] {
        let mut transaction = session.0.begin().await.unwrap();
        jobs.enqueue_in(&mut transaction, &[job(name)], None).await.unwrap();
        let other = tokio::spawn({
            let jobs = jobs.clone();
            async move { jobs.enqueue(&[job(name)], None).await.unwrap() }
        });
        tokio::time::sleep(millis(150)).await;
        assert!(!other.is_finished());
        if commits {
            transaction.commit().await.unwrap();
        } else {
            transaction.rollback().await.unwrap();
        }
        assert_eq!(other.await.unwrap(), [entry]);
    }
}

/// QU-05, QU-52: the queue's own call; a consumer begins the job as soon as it was committed, although it asks every ten
/// seconds only.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_wakes() {
    let space = Space::of_jobs().await;
    let ours = Queue::<Number, _>::with_store("q", space.jobs().await).build().unwrap();
    let theirs = Queue::<Number, _>::with_store("q", rarely(&space).await);
    let theirs = theirs.request_timeout(Duration::from_secs(1)).build().unwrap();
    let begun = Begun::default();
    let _working = Working::on(&theirs, &begun, Duration::ZERO);
    let mut session = space.session().await;
    listens(&space, &mut session).await;
    let mut transaction = session.0.begin().await.unwrap();
    let request = EnqueueRequest::new(Number(1)).id(JobId::new("a").unwrap());
    assert!(ours.enqueue_in(&mut transaction, request).await.unwrap().is_new());
    tokio::time::sleep(millis(300)).await;
    assert!(begun.all().is_empty());
    transaction.commit().await.unwrap();
    let committed = std::time::Instant::now();
    while begun.all().is_empty() {
        assert!(committed.elapsed() < millis(200), "nothing begins");
        tokio::time::sleep(millis(1)).await;
    }
}
