use std::time::Duration;

use seaworthy_queue::Queue;
use seaworthy_queue::sqlite::Sqlite;
use seaworthy_queue::store::{DeadLetters, Settlement};
use seaworthy_queue::store::{Due, NewJob, Producer, Source, Take, TransactionalProducer};
use seaworthy_store::time::{now, sleep};
use sqlx::Executor;

use crate::consumer::Number;

use super::{ACK, Clock, Directory, VISIBILITY, accept, counts, ids, job, one, opened, received, settled, take};

const LONG: Duration = Duration::from_secs(10);

/// QU-52: while another process writes, who finds nothing to do is told so, at once: a look takes no lock. What would
/// hand a job out waits, to its limit.
#[tokio::test]
async fn a_look_takes_no_lock() {
    let directory = Directory::new();
    let engine = opened(directory.builder().request_timeout(Duration::from_millis(500))).await;
    accept(&engine, &[NewJob { due: Due::After(VISIBILITY), ..job("later") }, job("running")]).await;
    assert_eq!(ids(&engine, 1).await, ["running"]);
    let mut other = directory.stranger().await;
    other.execute("BEGIN IMMEDIATE").await.expect("nobody writes");
    for _ in 0..20 {
        let next = received(&engine, &take(64)).await.next_due.expect("two are to come");
        assert!(next <= VISIBILITY && next > VISIBILITY / 2, "{next:?}");
        assert_eq!(counts(&engine).await, (0, 1, 1, 0));
        assert!(engine.list(None, 9).await.expect("it takes no lock").is_empty());
        assert_eq!(engine.sweep(Some(VISIBILITY), Some(9)).await.expect("it takes no lock"), 0);
    }
    other.execute("ROLLBACK").await.expect("rolled back");
    accept(&engine, &[job("now")]).await;
    other.execute("BEGIN IMMEDIATE").await.expect("nobody writes");
    assert!(engine.receive(&take(1), Duration::ZERO).await.expect_err("locked").is_unavailable());
    other.execute("ROLLBACK").await.expect("rolled back");
    assert_eq!(ids(&engine, 9).await, ["now"], "nothing was handed out behind its back");
}

/// QU-52: without jobs a wait costs one look each 200 ms, and lasts as long as it was asked to.
#[tokio::test]
async fn idle() {
    let (directory, clock) = (Directory::new(), Clock::new());
    let engine = opened(clock.of(directory.builder())).await;
    let (before, began) = (clock.readings(), now());
    let received = engine.receive(&take(64), Duration::from_secs(1)).await.expect("up");
    assert!(received.jobs.is_empty() && began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    let looks = clock.readings() - before;
    assert!((2..=6).contains(&looks), "{looks} looks in a second");
    // Without room nothing is waited for.
    let began = now();
    engine.receive(&take(0), LONG).await.expect("up");
    assert!(began.elapsed() < Duration::from_secs(1));
}

/// QU-52: who waits is woken at once by what another handle of this process has for it: a new job, one that is put back,
/// and one that is redriven.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn woken_at_once() {
    let directory = Directory::new();
    let other = directory.engine().await;
    // One whom nothing else wakes in time.
    let store = directory.builder().open().await.expect("a file of our own");
    let queue = Queue::<Number, Sqlite>::sqlite("numbers", &store).poll(Duration::from_secs(60)).build().expect("fine");
    let waits = queue.store().clone();
    for round in 0..5 {
        let name = format!("j{round}");
        for way in ["enqueue", "settle", "redrive"] {
            let holder = match way {
                "enqueue" => None,
                _ => {
                    accept(&other, &[job(&name)]).await;
                    Some(one(&other).await.0)
                }
            };
            let dead = Settlement::Dead { reason: "x".into() };
            if let ("redrive", Some(holder)) = (way, &holder) {
                assert!(settled(&other, holder, &dead).await.is_yes());
            }
            let (asked, engine) = (take(1), waits.clone());
            let waiting = tokio::spawn(async move {
                let jobs = engine.receive(&asked, LONG).await.expect("up").jobs;
                super::holder(&asked, jobs.first().expect("a job"))
            });
            sleep(Duration::from_millis(70)).await;
            assert!(!waiting.is_finished(), "{way}: nothing is there");
            match (way, &holder) {
                ("settle", Some(holder)) => assert!(settled(&other, holder, &Settlement::Release).await.is_yes()),
                ("redrive", _) => assert!(other.redrive(&super::id(&name)).await.expect("up")),
                _ => accept(&other, &[job(&name)]).await,
            }
            let began = now();
            let holder = waiting.await.expect("no panic");
            assert!(began.elapsed() < Duration::from_secs(2), "{way}: {:?}", began.elapsed());
            assert!(settled(&waits, &holder, &ACK).await.is_yes());
        }
    }
}

/// QU-52: what another process has enqueued, of which nobody tells, is found by the next poll.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn found_by_a_poll() {
    let directory = Directory::new();
    let engine = directory.engine().await;
    let waiting = tokio::spawn({
        let engine = engine.clone();
        async move { engine.receive(&take(1), LONG).await }
    });
    sleep(Duration::from_millis(300)).await;
    let mut other = directory.stranger().await;
    // On a connection of its own, and committed by itself.
    engine.enqueue_in(&mut other, &[job("a")], None).await.expect("up");
    let began = now();
    let received = waiting.await.expect("no panic").expect("up");
    assert_eq!(received.jobs.len(), 1);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

/// QU-06, QU-18: who waits is given what becomes due, or is abandoned, meanwhile.
#[tokio::test]
async fn what_becomes_due() {
    let directory = Directory::new();
    let engine = directory.engine().await;
    accept(&engine, &[job("abandoned")]).await;
    let brief = Take { visibility: Duration::from_millis(250), ..take(1) };
    assert_eq!(received(&engine, &brief).await.jobs.len(), 1);
    accept(&engine, &[NewJob { due: Due::After(Duration::from_millis(350)), ..job("later") }]).await;
    for (name, least) in [("abandoned", 250), ("later", 0)] {
        let taken = engine.receive(&take(1), LONG).await.expect("up").jobs.pop().expect("a job");
        assert_eq!(taken.id.as_str(), name);
        let bounds = Duration::from_millis(least)..Duration::from_secs(2);
        assert!(bounds.contains(&taken.waited), "{name}: {:?}", taken.waited);
    }
}

/// QU-16: a repeated asking that finds nothing of its own waits as any other, and is given what comes then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeated_and_nothing_there() {
    let directory = Directory::new();
    let engine = directory.engine().await;
    let waiting = tokio::spawn({
        let engine = engine.clone();
        async move { engine.receive(&Take { repeats: true, ..take(1) }, LONG).await }
    });
    sleep(Duration::from_millis(100)).await;
    assert!(!waiting.is_finished());
    assert!(engine.cancel(&super::id("x")).await.is_ok());
    accept(&engine, &[job("a")]).await;
    assert_eq!(waiting.await.expect("no panic").expect("up").jobs.len(), 1);
}

/// QU-52: how often is looked can be set, and is obeyed; what cannot be is refused.
#[tokio::test]
async fn polls() {
    let (directory, clock) = (Directory::new(), Clock::new());
    let store = clock.of(directory.builder()).open().await.expect("a file of our own");
    let builder = || Queue::<Number, Sqlite>::sqlite("numbers", &store);
    for (poll, looks) in [(Duration::from_millis(10), 8..=50), (Duration::from_secs(60), 1..=2)] {
        let queue = builder().poll(poll).build().expect("fine");
        queue.store().migrate().await.expect("installed");
        let before = clock.readings();
        queue.store().receive(&take(1), Duration::from_millis(500)).await.expect("up");
        let seen = clock.readings() - before;
        assert!(looks.contains(&seen), "{seen} looks at {poll:?}");
    }
    for wrong in [Duration::from_millis(9), Duration::from_secs(61)] {
        assert_eq!(builder().poll(wrong).build().expect_err("out of its range").field(), "poll");
    }
}
