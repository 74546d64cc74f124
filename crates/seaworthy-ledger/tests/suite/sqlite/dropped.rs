use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use seaworthy_ledger::EntryState;
use seaworthy_ledger::Held;
use seaworthy_ledger::sqlite::Sqlite;
use seaworthy_ledger::store::{Answer, Attempt, LedgerStore, Renewal, StepKept};
use seaworthy_store::sqlite::Synchronous;
use sqlx::Executor;

use super::{Clock, Directory, KEEP, LEASE, attempt, done, granted, holder, key, opened, settled};

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
    granted(engine, &key(&format!("after-{round}"))).await;
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
        for ($round, polls) in (0..=9).cycle().take(60).enumerate() {
            let $answer = dropped_after(polls, $request).await;
            *if $answer.is_some() { &mut ended } else { &mut dropped } += 1;
            let $answer = $answer.map(|answer| answer.expect("it was not disturbed"));
            still_writes(&$engine, &$directory, $round).await;
            $look;
        }
        assert!(dropped >= 6 && ended >= 6, "{dropped} dropped, {ended} ended");
    };
}

async fn space() -> (Directory, Clock, Sqlite) {
    let (directory, clock) = (Directory::new(), Clock::new());
    let engine = opened(clock.of(directory.builder().synchronous(Synchronous::Normal))).await;
    (directory, clock, engine)
}

/// IN-15: a claim that is dropped at any of its awaits was granted or was not: another claimer gets the first fence or
/// is told that it is busy, and the same one gets it in any case.
#[tokio::test]
async fn a_claim() {
    let (directory, _clock, engine) = space().await;
    at_each_await!(
        engine,
        directory,
        |round| {
            let attempt = attempt(&key(&format!("claim-{round}")));
            let engine = engine.clone();
            async move { engine.claim(&attempt).await.map(|answer| (attempt, answer)) }
        },
        |answer| {
            let round_key = key(&format!("claim-{round}"));
            let other = attempt(&round_key);
            match (answer, engine.claim(&other).await.expect("up")) {
                (Some((ours, Answer::Granted { fence: 1, .. })), Answer::Busy { .. }) => {
                    let later = Attempt { owner: ours.owner.wrapping_add(1), ..ours };
                    let again = engine.claim(&later).await.expect("up");
                    assert_eq!(again, Answer::Granted { fence: 2, grants: 1 }, "known by its owner");
                }
                (None, Answer::Busy { left }) => assert!(left <= LEASE),
                (None, Answer::Granted { fence: 1, grants: 1 }) => {}
                wrong => panic!("{wrong:?}"),
            }
        }
    );
}

/// IN-15: a settling that is dropped at any of its awaits happened wholly or not at all, and the next one is told that
/// it holds.
#[tokio::test]
async fn a_settling() {
    let (directory, _clock, engine) = space().await;
    at_each_await!(
        engine,
        directory,
        |round| {
            let engine = engine.clone();
            let claim = granted(&engine, &key(&format!("settle-{round}"))).await;
            async move { engine.settle(&claim, &done(b"42")).await.map(|held| (held, claim)) }
        },
        |answer| {
            let entry = engine.lookup(&key(&format!("settle-{round}"))).await.expect("up").expect("known");
            match (&answer, entry.state) {
                (Some((Held::Yes, _)) | None, EntryState::Done) => {
                    assert!(entry.result_len == Some(2) && entry.finished_at.is_some());
                }
                (None, EntryState::Running { .. }) => {
                    assert!(entry.result_len.is_none() && entry.finished_at.is_none())
                }
                wrong => panic!("{wrong:?}"),
            }
            if let Some((_, claim)) = answer {
                assert_eq!(settled(&engine, &claim, &done(b"42")).await, Held::Yes, "the answer may have been lost");
            }
        }
    );
}

/// IN-15: a renewing of many that is dropped at any of its awaits renewed all or none.
#[tokio::test]
async fn a_renewing() {
    let (directory, clock, engine) = space().await;
    let mut claims = Vec::new();
    for number in 0..5 {
        claims.push((granted(&engine, &key(&format!("{number}"))).await, LEASE));
    }
    at_each_await!(
        engine,
        directory,
        |round| {
            clock.forward(LEASE / 3);
            engine.renew(&claims)
        },
        |answer| {
            let mut left = Vec::new();
            for (claim, _) in &claims {
                left.push(engine.lookup(&claim.key).await.expect("up").expect("known").state);
            }
            assert!(left.iter().all(|state| *state == left[0]), "all or none: {left:?}");
            assert!(answer.is_none_or(|renewals| renewals == [Renewal::Renewed; 5]));
            assert_eq!(engine.renew(&claims).await.expect("up"), [Renewal::Renewed; 5]);
        }
    );
}

/// IN-15: a sweep that is dropped at any of its awaits removed all or nothing, steps included, and a step that is kept
/// is there or is not.
#[tokio::test]
async fn a_sweep_and_a_step() {
    let (directory, clock, engine) = space().await;
    let mut number = 0;
    at_each_await!(
        engine,
        directory,
        |round| {
            number += 1;
            let claim = granted(&engine, &key(&format!("sweep-{number}"))).await;
            let kept = dropped_after(number % 7, engine.keep_step(&claim, "one", &Bytes::from_static(b"1"))).await;
            let stored = engine.step(&claim.key, "one").await.expect("up");
            assert!(kept.is_none() || stored.as_deref() == Some(b"1"));
            let kept = engine.keep_step(&claim, "one", &Bytes::from_static(b"1")).await.expect("up");
            assert_eq!(kept, StepKept::Stored(Bytes::from_static(b"1")));
            assert_eq!(settled(&engine, &claim, &done(b"42")).await, Held::Yes);
            clock.forward(KEEP);
            engine.sweep(1_000)
        },
        |answer| {
            let claimed = key(&format!("sweep-{number}"));
            let row = engine.lookup(&claimed).await.expect("up");
            let step = engine.step(&claimed, "one").await.expect("up");
            assert_eq!(row.is_some(), step.is_some());
            assert!(answer.is_none() || row.is_none());
        }
    );
    let claim = granted(&engine, &key("last")).await;
    let attempt = attempt(&key("last"));
    let lost = engine.keep_step(&holder(&attempt, claim.fence), "one", &Bytes::new()).await.expect("up");
    assert_eq!(lost, StepKept::Lost, "another owner");
}

/// IN-15: the first request of all, which makes the tables, can be dropped at any of its awaits.
#[tokio::test]
async fn the_first_request() {
    for polls in 0.. {
        let directory = Directory::new();
        let engine = Sqlite::new(&directory.builder().open().await.expect("a new file"));
        let done = dropped_after(polls, engine.lookup(&key("a"))).await;
        let ended = done.map(|known| assert_eq!(known.expect("up"), None)).is_some();
        still_writes(&engine, &directory, polls).await;
        if ended {
            assert!(polls > 1, "there was something to drop: {polls}");
            break;
        }
    }
}
