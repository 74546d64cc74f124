use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use seaworthy_queue::sqlite::Sqlite;
use seaworthy_queue::store::{Cancelled, DeadLetters, Depth, Producer, Settlement, Source, TransactionalProducer};
use seaworthy_store::sqlite::Synchronous;
use sqlx::Executor;

use super::{ACK, Directory, VISIBILITY, accept, id, job, one, opened, received, settled, take};

/// Polls `future` up to `polls` times, whenever it asks for it, and then drops it; none if it had not ended by then.
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

/// Whoever is next can write, and no transaction is open.
async fn still_writes(engine: &Sqlite, directory: &Directory, round: usize) {
    let name = format!("after-{round}");
    accept(engine, &[job(&name)]).await;
    assert_eq!(engine.cancel(&id(&name)).await.expect("up"), Cancelled::Removed);
    let mut other = directory.stranger().await;
    other.execute("PRAGMA busy_timeout = 0").await.expect("set");
    other.execute("BEGIN IMMEDIATE").await.expect("no transaction is open");
    other.execute("ROLLBACK").await.expect("rolled back");
}

/// Drops what `request` gives after 0, 1, 2, … polls, again and again: after how many it ends is not the same each time,
/// because connections have threads of their own. After each, `look` says whether all is as it must be.
macro_rules! at_each_await {
    ($engine:ident, $directory:ident, |$round:ident| $request:expr, |$answer:ident| $look:expr) => {
        let (mut dropped, mut ended) = (0, 0);
        for ($round, polls) in (0..=14).cycle().take(60).enumerate() {
            let $answer = dropped_after(polls, $request).await;
            *if $answer.is_some() { &mut ended } else { &mut dropped } += 1;
            let $answer = $answer.map(|answer| answer.expect("it was not disturbed"));
            still_writes(&$engine, &$directory, $round).await;
            $look;
        }
        assert!(dropped >= 6 && ended >= 6, "{dropped} dropped, {ended} ended");
    };
}

async fn space() -> (Directory, Sqlite) {
    let directory = Directory::new();
    let engine = opened(directory.builder().synchronous(Synchronous::Normal)).await;
    (directory, engine)
}

async fn depth(engine: &Sqlite) -> Depth {
    engine.depth().await.expect("up")
}

/// IN-15: an enqueuing of two that is dropped at any of its awaits has both or none.
#[tokio::test]
async fn an_enqueuing() {
    let (directory, engine) = space().await;
    at_each_await!(
        engine,
        directory,
        |round| {
            let (engine, two) = (engine.clone(), super::jobs(&format!("j{round}"), 2));
            async move { engine.enqueue(&two, Some(1_000)).await }
        },
        |answer| {
            let mut found = 0;
            for job in super::jobs(&format!("j{round}"), 2) {
                let cancelled = engine.cancel(&job.id).await.expect("up");
                found += u32::from(cancelled == Cancelled::Removed);
            }
            assert!(found == 2 || (found == 0 && answer.is_none()), "{found} of two");
        }
    );
    assert_eq!(depth(&engine).await, Depth::default());
}

/// IN-15: a taking that is dropped at any of its awaits has handed the jobs out, to itself, or not; asked again under
/// the same owner it is given them, and none is doubled or lost.
#[tokio::test]
async fn a_taking() {
    let (directory, engine) = space().await;
    at_each_await!(
        engine,
        directory,
        |round| {
            let (engine, two) = (engine.clone(), super::jobs(&format!("j{round}"), 2));
            accept(&engine, &two).await;
            let asked = seaworthy_queue::store::Take { owner: 1 + round as u128, ..take(9) };
            async move { engine.receive(&asked, std::time::Duration::ZERO).await }
        },
        |answer| {
            let running = depth(&engine).await.running;
            assert!(running == 2 || (running == 0 && answer.is_none()), "{running} of two");
            let asked = seaworthy_queue::store::Take { owner: 1 + round as u128, repeats: true, ..take(9) };
            let jobs = received(&engine, &asked).await.jobs;
            assert_eq!(jobs.len(), 2);
            for job in jobs {
                assert_eq!((job.attempt, job.abandoned, job.fence), (1, 0, 1));
                assert!(settled(&engine, &super::holder(&asked, &job), &ACK).await.is_yes());
            }
            assert_eq!(depth(&engine).await, Depth::default());
        }
    );
}

/// IN-15, QU-26: a settling that is dropped at any of its awaits happened wholly or not at all: the job is in one place,
/// and its holder's if it is in none other.
#[tokio::test]
async fn a_settling() {
    let (directory, engine) = space().await;
    let ways = [
        Settlement::Ack { remember: Some(VISIBILITY) },
        Settlement::Retry { after: VISIBILITY, reason: "x".into() },
        Settlement::Dead { reason: "x".into() },
    ];
    at_each_await!(
        engine,
        directory,
        |round| {
            let (engine, way) = (engine.clone(), ways[round % 3].clone());
            accept(&engine, &[job(&format!("j{round}"))]).await;
            let (holder, _) = one(&engine).await;
            async move { engine.settle(&holder, &way).await }
        },
        |answer| {
            let Depth { ready, later, running, dead, .. } = depth(&engine).await;
            let as_asked = match &ways[round % 3] {
                Settlement::Retry { .. } => (0, 1, 0, 0),
                Settlement::Dead { .. } => (0, 0, 0, 1),
                _ => (0, 0, 0, 0),
            };
            let counts = (ready, later, running, dead);
            assert!(counts == as_asked || (counts == (0, 0, 1, 0) && answer.is_none()), "{counts:?}");
            // Its id is known wherever it is.
            let name = job(&format!("j{round}"));
            assert_eq!(
                engine.enqueue(std::slice::from_ref(&name), None).await.expect("up"),
                [seaworthy_queue::store::Entry::Already]
            );
            let mut other = directory.stranger().await;
            other.execute("DELETE FROM seaworthy_job").await.expect("emptied");
            other.execute("DELETE FROM seaworthy_dead_job").await.expect("emptied");
        }
    );
}

/// IN-15, QU-41: a redriving that is dropped at any of its awaits leaves the job dead or live.
#[tokio::test]
async fn a_redriving() {
    let (directory, engine) = space().await;
    accept(&engine, &[job("a")]).await;
    let dead = Settlement::Dead { reason: "x".into() };
    let mut redriven = 0;
    assert!(settled(&engine, &one(&engine).await.0, &dead).await.is_yes());
    at_each_await!(
        engine,
        directory,
        |_round| {
            let engine = engine.clone();
            async move { engine.redrive(&id("a")).await }
        },
        |answer| {
            let Depth { ready, dead: is_dead, .. } = depth(&engine).await;
            assert!((ready, is_dead) == (1, 0) || ((ready, is_dead) == (0, 1) && answer.is_none()));
            if ready == 1 {
                redriven += 1;
                let (holder, taken) = one(&engine).await;
                assert_eq!(taken.headers.get("redriven"), Some(&*redriven.to_string()));
                assert!(settled(&engine, &holder, &dead).await.is_yes());
            }
        }
    );
}

/// IN-15: an extension that is dropped at any of its awaits is for all or for none, and loses nothing.
#[tokio::test]
async fn an_extension() {
    let (directory, engine) = space().await;
    accept(&engine, &super::jobs("j", 2)).await;
    let asked = take(2);
    let taken = received(&engine, &asked).await.jobs;
    let holders: Vec<_> = taken.iter().map(|taken| super::holder(&asked, taken)).collect();
    at_each_await!(
        engine,
        directory,
        |_round| {
            let (engine, holders) = (engine.clone(), holders.clone());
            async move { engine.extend(&holders, VISIBILITY).await }
        },
        |answer| {
            assert!(answer.is_none_or(|held| held.iter().all(|held| held.is_yes())));
            assert_eq!(depth(&engine).await.running, 2);
        }
    );
}

/// QU-05: an enqueuing in a caller's transaction that is dropped leaves the transaction the caller's, to be rolled back.
#[tokio::test]
async fn in_a_transaction() {
    let (directory, engine) = space().await;
    for polls in 0..12 {
        let mut ours = directory.stranger().await;
        ours.execute("BEGIN IMMEDIATE").await.expect("begun");
        let new = [job("a"), job("b")];
        let _ended = dropped_after(polls, engine.enqueue_in(&mut ours, &new, None)).await;
        ours.execute("ROLLBACK").await.expect("rolled back");
        still_writes(&engine, &directory, polls).await;
        assert_eq!(depth(&engine).await, Depth::default());
    }
}
