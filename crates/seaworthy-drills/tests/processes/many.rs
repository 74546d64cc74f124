//! Sixteen processes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use seaworthy_drills::database::Database;

use crate::processes::{LIMIT, Place, notes, number};

const PROCESSES: usize = 16;
const KEYS: usize = 2_000;

/// All processes claim all keys, from a moment on that they are told. Gives the fence of each key; fails unless each has
/// one winner.
fn race(space: &impl Place, round: &str) -> BTreeMap<u64, u64> {
    let begin = space.journals().directory().join(format!("begin-{round}"));
    let workers: Vec<_> = (0..PROCESSES)
        .map(|process| {
            let begin = format!("--begin={}", begin.display());
            let (keys, from) = (format!("--keys={KEYS}"), format!("--from={}", process * KEYS / PROCESSES));
            space.worker(&format!("{round}-{process}"), "claim-all", &[&begin, &keys, &from])
        })
        .collect();
    let started = Instant::now();
    std::fs::write(&begin, "").expect("a file");
    for worker in &workers {
        worker.wait_ok(LIMIT);
    }
    let elapsed = started.elapsed();
    let journal = space.journals().read();
    let (mut fences, mut winners, mut wins) = (BTreeMap::new(), BTreeSet::new(), 0);
    let (mut busy, mut unavailable, mut longest) = (0, 0, 0);
    for worker in &workers {
        for won in notes(&journal, worker.name(), "won") {
            fences.insert(number(&won, "key"), number(&won, "fence"));
            winners.insert(worker.name());
            wins += 1;
        }
        let [ended] = &notes(&journal, worker.name(), "claimed-all")[..] else { panic!("{}", worker.output()) };
        busy += number(ended, "busy");
        unavailable += number(ended, "unavailable");
        longest = longest.max(number(ended, "longest"));
    }
    println!(
        "{round}: {PROCESSES} processes, {wins} winners of {} keys among {} processes, {busy} busy, {unavailable} \
         unavailable, the longest claim {longest} ms, in {elapsed:?}",
        fences.len(),
        winners.len()
    );
    assert_eq!((wins, fences.len()), (KEYS, KEYS), "one winner for each key");
    assert_eq!(busy, (PROCESSES * KEYS - KEYS) as u64, "everybody else was told so");
    assert!(winners.len() > 1, "they raced");
    fences
}

/// LG-01, IN-07, CO-18: sixteen processes make one file and its tables at once, and claim 2,000 keys: one winner for
/// each, when they are fresh, when all are stale at once, and when all have failed, each time with the next fence.
pub(crate) async fn one_winner_for_each_key_and_fence<P: Place>() {
    let space = P::new();
    let fresh = tokio::task::block_in_place(|| race(&space, "fresh"));
    assert!(fresh.values().all(|fence| *fence == 1));
    let database = space.database().await;
    let mut connection = database.connect().await;
    database.expire_all(&mut connection).await;
    let stale = tokio::task::block_in_place(|| race(&space, "stale"));
    assert!(stale.values().all(|fence| *fence == 2));
    database.fail_all(&mut connection).await;
    let failed = tokio::task::block_in_place(|| race(&space, "failed"));
    assert!(failed.values().all(|fence| *fence == 3));
}
