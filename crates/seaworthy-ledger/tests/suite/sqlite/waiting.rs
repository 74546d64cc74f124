use std::time::Duration;

use bytes::Bytes;
use seaworthy_ledger::EntryState;
use seaworthy_ledger::Held;
use seaworthy_ledger::store::{Answer, Attempt, LedgerStore};
use sqlx::Executor;

use super::{Clock, Directory, LEASE, attempt, done, granted, holder, key, opened, settled};

/// LG-11: while another process writes, who claims a key that is busy, done or a mismatch is told so at once.
#[tokio::test]
async fn what_is_only_looked_at_waits_for_nobody() {
    let directory = Directory::new();
    directory.engine().await;
    let engine = opened(directory.builder().request_timeout(Duration::from_millis(500))).await;
    let print = |attempt, text: &'static [u8]| Attempt { fingerprint: Some(Bytes::from_static(text)), ..attempt };
    let ours = print(attempt(&key("running")), b"one");
    assert_eq!(engine.claim(&ours).await.expect("up"), Answer::Granted { fence: 1, grants: 1 });
    let claim = granted(&engine, &key("done")).await;
    assert_eq!(settled(&engine, &claim, &done(b"42")).await, Held::Yes);

    let mut other = directory.stranger().await;
    other.execute("BEGIN IMMEDIATE").await.expect("nobody writes");
    for _ in 0..20 {
        let busy = engine.claim(&attempt(&key("running"))).await.expect("it takes no lock");
        assert!(matches!(busy, Answer::Busy { .. }), "{busy:?}");
        let mismatch = engine.claim(&print(attempt(&key("running")), b"two")).await.expect("it takes no lock");
        assert_eq!(mismatch, Answer::Mismatch);
        let replayed = engine.claim(&attempt(&key("done"))).await.expect("it takes no lock");
        assert!(matches!(replayed, Answer::Done(_)), "{replayed:?}");
    }
    // What would change something waits, to its limit.
    assert!(engine.claim(&attempt(&key("fresh"))).await.expect_err("locked").is_unavailable());
    let again = Attempt { owner: ours.owner.wrapping_add(1), ..ours };
    assert!(engine.claim(&again).await.expect_err("to be granted again").is_unavailable());
}

/// LG-13: a claim that waited for another process is granted for a whole lease from when it has the file.
#[tokio::test]
async fn who_waited_decides_by_the_time_after() {
    let (directory, clock) = (Directory::new(), Clock::new());
    let engine = opened(clock.of(directory.builder())).await;
    let mut other = directory.stranger().await;
    other.execute("BEGIN IMMEDIATE").await.expect("nobody writes");
    let ours = attempt(&key("a"));
    let waiting = tokio::spawn({
        let (engine, ours) = (engine.clone(), ours.clone());
        async move { engine.claim(&ours).await }
    });
    seaworthy_store::time::sleep(Duration::from_millis(100)).await;
    clock.forward(LEASE * 2);
    other.execute("ROLLBACK").await.expect("rolled back");
    let answer = waiting.await.expect("no panic").expect("up");
    assert_eq!(answer, Answer::Granted { fence: 1, grants: 1 });
    let entry = engine.lookup(&key("a")).await.expect("up").expect("known");
    assert_eq!(entry.state, EntryState::Running { left: LEASE });
    assert_eq!(settled(&engine, &holder(&ours, 1), &done(b"42")).await, Held::Yes);
}
