use std::time::{Duration, SystemTime};

use bytes::Bytes;
use seaworthy_ledger::Held;
use seaworthy_ledger::sqlite::Sqlite;
use seaworthy_ledger::store::{Answer, Attempt, Holder, LedgerStore, Renewal, Settlement, TransactionalStore};
use seaworthy_ledger::{EntryState, ErrorClass, Kept, Key};
use seaworthy_store::random;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Executor, query, query_scalar};

use super::{Clock, Directory, KEEP, LEASE, attempt, done, granted, holder, key, opened, settled};

/// A claim in a transaction, in which neither a lease nor a rank means anything.
fn asked(key: &Key, owner: u128, fingerprint: Option<Bytes>) -> Attempt {
    Attempt { key: key.clone(), owner, lease: LEASE, fingerprint, rank: None }
}

/// A table for what the work does.
async fn effects(directory: &Directory) -> SqliteConnection {
    let mut connection = directory.stranger().await;
    connection.execute("CREATE TABLE IF NOT EXISTS effect (key text)").await.expect("made");
    connection
}

async fn have_effect(connection: &mut SqliteConnection, key: &Key) {
    query("INSERT INTO effect VALUES (?1)").bind(key.value()).execute(connection).await.expect("inserted");
}

async fn count(connection: &mut SqliteConnection) -> i64 {
    query_scalar("SELECT count(*) FROM effect").fetch_one(connection).await.expect("counted")
}

async fn claim_in(engine: &Sqlite, connection: &mut SqliteConnection, key: &Key) -> Answer {
    let answer = engine.claim_in(connection, &asked(key, random::unique(), None), Some(KEEP)).await;
    answer.expect("the transaction goes on")
}

/// LG-30: a completion in the caller's transaction is recorded with what the work did, at the commit and not before.
#[tokio::test]
async fn recorded_together() {
    let directory = Directory::new();
    let engine = directory.engine().await;
    let mut ours = effects(&directory).await;
    let claim = granted(&engine, &key("a")).await;
    ours.execute("BEGIN IMMEDIATE").await.expect("begun");
    have_effect(&mut ours, &claim.key).await;
    assert_eq!(engine.complete_in(&mut ours, &claim, &done(b"42")).await.expect("up"), Held::Yes);

    // Until the commit nobody sees it, and who looks does not wait.
    let answer = engine.claim(&attempt(&key("a"))).await.expect("up");
    assert!(matches!(answer, Answer::Busy { .. }), "{answer:?}");
    let mut other = directory.stranger().await;
    assert_eq!(count(&mut other).await, 0);
    ours.execute("COMMIT").await.expect("committed");
    assert_eq!(count(&mut other).await, 1);
    let Answer::Done(record) = engine.claim(&attempt(&key("a"))).await.expect("up") else { panic!("not done") };
    let kept = Kept::Result { bytes: Bytes::from_static(b"42"), content_type: "text/plain".into() };
    assert_eq!((record.fence, record.kept), (1, kept));
}

/// LG-30: who has lost the claim, or has settled it already, learns it in the transaction, and rolls back: the work is
/// not recorded twice.
#[tokio::test]
async fn lost_in_the_transaction() {
    let (directory, clock) = (Directory::new(), Clock::new());
    let engine = opened(clock.of(directory.builder())).await;
    let mut ours = effects(&directory).await;
    let old = granted(&engine, &key("a")).await;
    clock.forward(LEASE);
    let new = granted(&engine, &key("a")).await;
    for (holder, held) in [(&old, Held::Lost), (&new, Held::Yes), (&new, Held::Lost), (&old, Held::Lost)] {
        ours.execute("BEGIN IMMEDIATE").await.expect("begun");
        have_effect(&mut ours, &holder.key).await;
        let answer = engine.complete_in(&mut ours, holder, &done(b"42")).await.expect("up");
        assert_eq!(answer, held);
        ours.execute(if answer.is_yes() { "COMMIT" } else { "ROLLBACK" }).await.expect("ended");
    }
    assert_eq!(count(&mut ours).await, 1);
}

/// LG-31: after a rollback the row runs as before: its lease goes on, can be renewed, and the claim is settled by the
/// next transaction, or without one.
#[tokio::test]
async fn rolled_back() {
    let directory = Directory::new();
    let engine = directory.engine().await;
    let mut ours = effects(&directory).await;
    let claim = granted(&engine, &key("a")).await;
    let before = engine.lookup(&key("a")).await.expect("up").expect("known");
    ours.execute("BEGIN IMMEDIATE").await.expect("begun");
    have_effect(&mut ours, &claim.key).await;
    assert_eq!(engine.complete_in(&mut ours, &claim, &done(b"42")).await.expect("up"), Held::Yes);
    ours.execute("ROLLBACK").await.expect("rolled back");

    let after = engine.lookup(&key("a")).await.expect("up").expect("known");
    assert!(matches!(after.state, EntryState::Running { left } if left > Duration::ZERO));
    assert_eq!((after.fence, after.grants, after.started_at), (before.fence, before.grants, before.started_at));
    assert_eq!(engine.renew(&[(claim.clone(), LEASE)]).await.expect("up"), [Renewal::Renewed]);
    assert_eq!(count(&mut ours).await, 0);
    assert_eq!(settled(&engine, &claim, &done(b"43")).await, Held::Yes);
}

/// LG-30, CO-13: while a caller's transaction has the file, who wants to write waits for its end, and is unavailable
/// after its own limit; nothing is granted to it behind its back.
#[tokio::test]
async fn others_wait_for_the_end() {
    let directory = Directory::new();
    directory.engine().await;
    let engine = opened(directory.builder().request_timeout(Duration::from_millis(500))).await;
    let mut ours = effects(&directory).await;
    let claim = granted(&engine, &key("a")).await;
    ours.execute("BEGIN IMMEDIATE").await.expect("begun");
    assert_eq!(engine.complete_in(&mut ours, &claim, &done(b"42")).await.expect("up"), Held::Yes);
    let error = engine.claim(&attempt(&key("b"))).await.expect_err("the file is locked");
    assert_eq!(error.class(), ErrorClass::Unavailable);
    let error = engine.renew(&[(claim, LEASE)]).await.expect_err("the file is locked");
    assert_eq!(error.class(), ErrorClass::Unavailable);
    ours.execute("COMMIT").await.expect("committed");
    assert_eq!(engine.lookup(&key("b")).await.expect("up"), None);
    granted(&engine, &key("b")).await;
}

/// LG-32: work that is wholly in a transaction records itself as done in one go: the first may do it, everybody else
/// gets its record, and after a rollback the next is the first.
#[tokio::test]
async fn claimed_and_done_in_one_go() {
    let directory = Directory::new();
    let engine = directory.engine().await;
    let mut ours = effects(&directory).await;
    ours.execute("BEGIN IMMEDIATE").await.expect("begun");
    assert_eq!(claim_in(&engine, &mut ours, &key("a")).await, Answer::Granted { fence: 1, grants: 1 });
    ours.execute("ROLLBACK").await.expect("rolled back");
    assert_eq!(engine.lookup(&key("a")).await.expect("up"), None, "it never was");

    ours.execute("BEGIN").await.expect("begun, and not even by IMMEDIATE");
    let us = random::unique();
    let answer = engine.claim_in(&mut ours, &asked(&key("a"), us, None), None).await.expect("up");
    assert_eq!(answer, Answer::Granted { fence: 1, grants: 1 });
    let holder = Holder { key: key("a"), fence: 1, owner: us };
    let somebody = Holder { owner: us ^ 1, ..holder.clone() };
    let result = Bytes::from_static(b"");
    assert_eq!(engine.store_in(&mut ours, &somebody, &result, "x").await.expect("up"), Held::Lost);
    assert_eq!(engine.store_in(&mut ours, &holder, &result, "x").await.expect("up"), Held::Yes);
    assert_eq!(engine.store_in(&mut ours, &holder, &result, "y").await.expect("up"), Held::Lost, "once");
    ours.execute("COMMIT").await.expect("committed");

    let Answer::Done(record) = claim_in(&engine, &mut ours, &key("a")).await else { panic!("not done") };
    assert_eq!(record.kept, Kept::Result { bytes: Bytes::new(), content_type: "x".into() }, "empty, and not none");
    let answer = engine.claim(&attempt(&key("a"))).await.expect("up");
    assert_eq!(answer, Answer::Done(record), "in a transaction and without one");
}

/// LG-32: a key that runs is busy to such a claim, one that is stale or has failed is taken, with the next fence, and
/// one that was done with another fingerprint is a mismatch.
#[tokio::test]
async fn claimed_in_one_go_after_others() {
    let (directory, clock) = (Directory::new(), Clock::new());
    let engine = opened(clock.of(directory.builder())).await;
    let mut ours = effects(&directory).await;
    let running = granted(&engine, &key("stale")).await;
    assert_eq!(claim_in(&engine, &mut ours, &key("stale")).await, Answer::Busy { left: LEASE });
    clock.forward(LEASE);
    assert_eq!(claim_in(&engine, &mut ours, &key("stale")).await, Answer::Granted { fence: 2, grants: 2 });
    assert_eq!(settled(&engine, &running, &done(b"late")).await, Held::Lost);

    let print = |text: &'static str| Some(Bytes::from_static(text.as_bytes()));
    let with_print = Attempt { fingerprint: print("one"), ..attempt(&key("failed")) };
    assert_eq!(engine.claim(&with_print).await.expect("up"), Answer::Granted { fence: 1, grants: 1 });
    let stored = engine.keep_step(&holder(&with_print, 1), "step", &Bytes::from_static(b"1")).await;
    stored.expect("up");
    let failed = Settlement::Failed { reason: "no".into(), keep: None };
    assert_eq!(settled(&engine, &holder(&with_print, 1), &failed).await, Held::Yes);
    let answer = engine.claim_in(&mut ours, &asked(&key("failed"), 7, print("two")), None).await;
    assert_eq!(answer.expect("up"), Answer::Granted { fence: 2, grants: 2 });
    assert_eq!(engine.step(&key("failed"), "step").await.expect("up"), None, "it was another's");
    let answer = engine.claim_in(&mut ours, &asked(&key("failed"), 8, print("one")), None).await;
    assert_eq!(answer.expect("up"), Answer::Mismatch);
}

/// LG-32: a second transaction with the same key waits for the first, and then sees its outcome.
#[tokio::test]
async fn a_second_transaction_waits_for_the_first() {
    for (end, expected_effects) in [("COMMIT", 1), ("ROLLBACK", 1)] {
        let directory = Directory::new();
        let engine = directory.engine().await;
        let mut first = effects(&directory).await;
        first.execute("BEGIN IMMEDIATE").await.expect("begun");
        assert!(matches!(claim_in(&engine, &mut first, &key("a")).await, Answer::Granted { .. }));
        have_effect(&mut first, &key("a")).await;
        let mut second = directory.stranger().await;
        let waiting = tokio::spawn({
            let engine = engine.clone();
            async move {
                second.execute("BEGIN IMMEDIATE").await.expect("it waits up to 5 s");
                let answer = claim_in(&engine, &mut second, &key("a")).await;
                if matches!(answer, Answer::Granted { .. }) {
                    have_effect(&mut second, &key("a")).await;
                }
                second.execute("COMMIT").await.expect("committed");
                answer
            }
        });
        seaworthy_store::time::sleep(Duration::from_millis(50)).await;
        assert!(!waiting.is_finished());
        first.execute(end).await.expect("ended");
        let answer = waiting.await.expect("no panic");
        assert_eq!(matches!(answer, Answer::Done(_)), end == "COMMIT", "{answer:?}");
        assert_eq!(count(&mut first).await, expected_effects);
    }
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + seaworthy_store::time::wall()
}

/// LG-33: another driver completes a claim by the statement's text and seven plain values, in its own transaction: it
/// changes exactly one row, and none if the claim was lost.
#[tokio::test]
async fn completed_by_another_driver() {
    let directory = Directory::new();
    let engine = directory.engine().await;
    let mut theirs = effects(&directory).await;
    let claim = granted(&engine, &key("secret-key")).await;
    let completion = engine.completion(&claim, Bytes::from_static(b"sesame"), "text/plain", Some(KEEP));
    let shown = format!("{completion:?}");
    assert!(!shown.contains("secret-key") && !shown.contains("sesame") && shown.contains("6 bytes"), "{shown}");

    let before = now();
    for rows in [1, 0] {
        // As a driver that knows nothing of this library does it.
        theirs.execute("BEGIN IMMEDIATE").await.expect("begun");
        let changed = query(AssertSqlSafe(completion.text.clone()))
            .bind(&*completion.scope)
            .bind(&*completion.key)
            .bind(completion.fence)
            .bind(completion.owner.to_vec())
            .bind(completion.result.to_vec())
            .bind(&*completion.content_type)
            .bind(completion.keep_us)
            .execute(&mut theirs)
            .await
            .expect("it is SQL")
            .rows_affected();
        theirs.execute("COMMIT").await.expect("committed");
        assert_eq!(changed, rows);
    }
    let Answer::Done(record) = engine.claim(&attempt(&claim.key)).await.expect("up") else { panic!("not done") };
    let kept = Kept::Result { bytes: Bytes::from_static(b"sesame"), content_type: "text/plain".into() };
    assert_eq!(record.kept, kept);
    let (tick, kept_until) = (Duration::from_millis(1), before + KEEP);
    assert!(record.finished_at + tick >= before && record.finished_at <= now() + tick);
    let expires: i64 =
        query_scalar("SELECT expires_at FROM seaworthy_ledger").fetch_one(&mut theirs).await.expect("read");
    let expires = SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(expires).expect("after 1970"));
    assert!(expires + tick >= kept_until && expires <= now() + KEEP + tick);
}
