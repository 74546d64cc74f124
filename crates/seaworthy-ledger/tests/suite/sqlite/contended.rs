use std::collections::HashSet;
use std::time::Duration;

use seaworthy_ledger::Key;
use seaworthy_ledger::sqlite::Sqlite;
use seaworthy_ledger::store::{Answer, Attempt, Held, LedgerStore, Settlement};
use seaworthy_store::sqlite::Synchronous;

use super::{Clock, Directory, LEASE, attempt, done, granted, holder, key, opened, settled};

const CLAIMERS: usize = 64;
const KEYS: usize = 200;

/// All claimers claim all keys at once. Gives each key's fence and who won it; fails unless there is one winner each.
async fn race(engine: &Sqlite) -> Vec<(Attempt, u64)> {
    let mut tasks = tokio::task::JoinSet::new();
    for claimer in 0..CLAIMERS {
        let engine = engine.clone();
        tasks.spawn(async move {
            let mut won = Vec::new();
            // Each begins somewhere else, so that they meet at all of them.
            for number in (0..KEYS).map(|number| (number + claimer * KEYS / CLAIMERS) % KEYS) {
                let attempt = attempt(&key(&format!("{number}")));
                match engine.claim(&attempt).await.expect("up") {
                    Answer::Granted { fence, .. } => won.push((attempt, fence)),
                    Answer::Busy { left } => assert!(left <= LEASE),
                    other => panic!("{other:?}"),
                }
            }
            won
        });
    }
    let won: Vec<(Attempt, u64)> = tasks.join_all().await.into_iter().flatten().collect();
    let keys: HashSet<&Key> = won.iter().map(|(attempt, _)| &attempt.key).collect();
    assert_eq!((won.len(), keys.len()), (KEYS, KEYS), "one winner a key");
    won
}

/// IN-07, LG-01: of 64 simultaneous claimers of 200 keys there is one winner for each, when the keys are fresh, when all
/// are stale at once, and when all have failed; each time with the next fence. The losers of the past complete nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_winner_for_each_key_and_fence() {
    let (directory, clock) = (Directory::new(), Clock::new());
    let engine = opened(clock.of(directory.builder().synchronous(Synchronous::Normal))).await;
    let fresh = race(&engine).await;
    assert!(fresh.iter().all(|(_, fence)| *fence == 1));
    clock.forward(LEASE);
    assert_eq!(engine.stale().await.expect("up"), 200);
    let stale = race(&engine).await;
    assert!(stale.iter().all(|(_, fence)| *fence == 2));
    for (attempt, fence) in &fresh {
        assert_eq!(settled(&engine, &holder(attempt, *fence), &done(b"late")).await, Held::Lost);
    }
    let failed = Settlement::Failed { reason: "no".into(), keep: None };
    for (attempt, fence) in &stale {
        assert_eq!(settled(&engine, &holder(attempt, *fence), &failed).await, Held::Yes);
    }
    let third = race(&engine).await;
    assert!(third.iter().all(|(_, fence)| *fence == 3));
}

/// LG-01: a key whose lease is over as soon as it is granted is granted again and again, with fences without a gap or a
/// repetition.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fences_without_gap_or_repeat() {
    let directory = Directory::new();
    let engine = opened(directory.builder().synchronous(Synchronous::Normal)).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let engine = engine.clone();
        tasks.spawn(async move {
            let mut fences = Vec::new();
            for _ in 0..20 {
                let attempt = Attempt { lease: Duration::from_millis(2), ..attempt(&key("a")) };
                if let Answer::Granted { fence, .. } = engine.claim(&attempt).await.expect("up") {
                    fences.push(fence);
                }
            }
            fences
        });
    }
    let mut fences: Vec<u64> = tasks.join_all().await.into_iter().flatten().collect();
    fences.sort_unstable();
    let all = u64::try_from(fences.len()).expect("few");
    assert!(all > 1, "{all} grants");
    assert_eq!(fences, (1..=all).collect::<Vec<_>>());
}

/// LG-10: 200 owners of the past, in any order, complete, fail and release nothing, and the row stays as it is.
#[tokio::test]
async fn old_fences_settle_nothing() {
    let (directory, clock) = (Directory::new(), Clock::new());
    let engine = opened(clock.of(directory.builder().synchronous(Synchronous::Normal))).await;
    let mut old = Vec::new();
    for _ in 0..200 {
        old.push(granted(&engine, &key("a")).await);
        clock.forward(LEASE);
    }
    let last = granted(&engine, &key("a")).await;
    let before = engine.lookup(&key("a")).await.expect("up");
    let settlements = [
        done(b"late"),
        Settlement::DoneNotKept { keep: None },
        Settlement::FailedForGood { reason: "late".into(), keep: None },
        Settlement::Failed { reason: "late".into(), keep: None },
        Settlement::Released { keep: None },
    ];
    let mut lost = 0;
    for (number, holder) in old.iter().rev().enumerate() {
        let held = settled(&engine, holder, &settlements[number % settlements.len()]).await;
        lost += usize::from(held == Held::Lost);
    }
    assert_eq!(lost, 200);
    assert_eq!(engine.lookup(&key("a")).await.expect("up"), before);
    assert_eq!(settled(&engine, &last, &done(b"done")).await, Held::Yes);
}
