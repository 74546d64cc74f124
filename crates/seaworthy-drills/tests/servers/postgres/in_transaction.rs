use std::time::Duration;

use bytes::Bytes;
use seaworthy_ledger::Held;
use seaworthy_ledger::postgres::Postgres;
use seaworthy_ledger::store::{Answer, Attempt, Holder, LedgerStore, Renewal, Settlement, TransactionalStore};
use seaworthy_ledger::{EntryState, Kept, Key};
use sqlx::{Connection, PgConnection, Row};

use super::support::{LEASE, Session, Space, attempt, claimed, done, fence, key, owner};

/// A claim in a transaction, in which neither a lease nor a rank means anything.
fn asked(key: &Key, owner: u128, fingerprint: Option<Bytes>) -> Attempt {
    Attempt { key: key.clone(), owner, lease: LEASE, fingerprint, rank: None }
}

async fn effects(session: &mut Session) -> i64 {
    session.number("SELECT count(*) FROM effect").await
}

async fn with_effects() -> (Space, Postgres, Session) {
    let space = Space::new().await;
    let ledger = space.ledger().await;
    let mut session = space.session().await;
    session.run("CREATE TABLE effect (key text)").await;
    (space, ledger, session)
}

/// LG-30: the effect and its completion are committed together, or not at all.
#[tokio::test]
async fn what_was_done_and_that_it_was_are_one() {
    let (_space, ledger, mut session) = with_effects().await;
    let held = claimed(&ledger, "a").await;
    let mut transaction = session.0.begin().await.unwrap();
    sqlx::query("INSERT INTO effect VALUES ('a')").execute(&mut *transaction).await.unwrap();
    assert_eq!(ledger.complete_in(&mut transaction, &held, &done("made")).await.unwrap(), Held::Yes);
    // Not before the commit.
    let entry = ledger.lookup(&held.key).await.unwrap().unwrap();
    assert!(matches!(entry.state, EntryState::Running { .. }), "{entry:?}");
    transaction.commit().await.unwrap();
    let Answer::Done(record) = ledger.claim(&attempt(&held.key)).await.unwrap() else { panic!() };
    assert_eq!(record.fence, 1);
    assert_eq!(record.kept, Kept::Result { bytes: Bytes::from_static(b"made"), content_type: "text/plain".into() });
    assert_eq!(effects(&mut session).await, 1);
}

/// LG-30: a claim that was lost changes nothing, and says so; so does one that was completed already, or the effect beside
/// it would happen twice.
#[tokio::test]
async fn who_has_lost_the_claim_is_told_to_roll_back() {
    let (space, ledger, mut session) = with_effects().await;
    let old = claimed(&ledger, "a").await;
    space.session().await.expire().await;
    let new = claimed(&ledger, "a").await;
    for held in [&old, &Holder { owner: 9, ..new.clone() }, &Holder { fence: 7, ..new.clone() }] {
        assert_eq!(ledger.complete_in(&mut session.0, held, &done("old")).await.unwrap(), Held::Lost, "{held:?}");
    }
    assert_eq!(ledger.complete_in(&mut session.0, &new, &done("new")).await.unwrap(), Held::Yes);
    assert_eq!(ledger.complete_in(&mut session.0, &new, &done("new")).await.unwrap(), Held::Lost);
    let Answer::Done(record) = ledger.claim(&attempt(&old.key)).await.unwrap() else { panic!() };
    assert_eq!(record.fence, 2);
}

/// LG-30: the row is locked until the transaction ends: renewing passes it over and renews the others, and whoever would
/// settle it waits for `lock_timeout` and is told that the store is unavailable.
#[tokio::test]
async fn the_row_is_locked_until_the_transaction_ends() {
    let (_space, ledger, mut session) = with_effects().await;
    let (locked, free) = (claimed(&ledger, "locked").await, claimed(&ledger, "free").await);
    let mut transaction = session.0.begin().await.unwrap();
    assert_eq!(ledger.complete_in(&mut transaction, &locked, &done("x")).await.unwrap(), Held::Yes);
    let leases = [(locked.clone(), LEASE), (free, LEASE)];
    let began = std::time::Instant::now();
    assert_eq!(ledger.renew(&leases).await.unwrap(), [Renewal::Locked, Renewal::Renewed]);
    assert!(began.elapsed() < Duration::from_millis(300), "it waited for the lock: {:?}", began.elapsed());
    let error = ledger.settle(&locked, &done("y")).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    transaction.commit().await.unwrap();
    assert_eq!(ledger.renew(&leases).await.unwrap(), [Renewal::Lost, Renewal::Renewed]);
}

/// LG-31: rolled back, the row runs as before, and its lease goes on.
#[tokio::test]
async fn rolled_back_the_claim_runs_as_before() {
    let (_space, ledger, mut session) = with_effects().await;
    let held = claimed(&ledger, "a").await;
    let mut transaction = session.0.begin().await.unwrap();
    sqlx::query("INSERT INTO effect VALUES ('a')").execute(&mut *transaction).await.unwrap();
    assert_eq!(ledger.complete_in(&mut transaction, &held, &done("x")).await.unwrap(), Held::Yes);
    transaction.rollback().await.unwrap();
    assert_eq!(effects(&mut session).await, 0);
    let entry = ledger.lookup(&held.key).await.unwrap().unwrap();
    assert!(matches!(entry.state, EntryState::Running { left } if left > LEASE / 2), "{entry:?}");
    assert_eq!(ledger.renew(&[(held.clone(), LEASE)]).await.unwrap(), [Renewal::Renewed]);
    // By reference: the same claim can be completed in the next transaction.
    let failed = Settlement::Failed { reason: "in a transaction, too".into(), keep: None };
    assert_eq!(ledger.complete_in(&mut session.0, &held, &failed).await.unwrap(), Held::Yes);
    assert_eq!(ledger.lookup(&held.key).await.unwrap().unwrap().state, EntryState::Failed);
}

/// LG-32: the first transaction with a key records it; a second waits for it, and then sees its outcome.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_transaction_with_a_key_waits_for_the_first() {
    let (space, ledger, mut first) = with_effects().await;
    for commits in [true, false] {
        let name = key(&format!("commits-{commits}"));
        let mut transaction = first.0.begin().await.unwrap();
        let mine = owner();
        let answer = ledger.claim_in(&mut transaction, &asked(&name, mine, None), Some(LEASE)).await.unwrap();
        let held = Holder { key: name.clone(), fence: fence(&answer), owner: mine };
        let stored =
            ledger.store_in(&mut transaction, &held, &Bytes::from_static(b"made"), "text/plain").await.unwrap();
        assert_eq!(stored, Held::Yes);
        let waiting = tokio::spawn({
            let (ledger, name, mut second) = (ledger.clone(), name.clone(), space.session().await);
            async move {
                let mut transaction = second.0.begin().await.unwrap();
                let answer = ledger.claim_in(&mut transaction, &asked(&name, owner(), None), None).await.unwrap();
                transaction.commit().await.unwrap();
                answer
            }
        });
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert!(!waiting.is_finished(), "it waits, for longer than our own statements would");
        if commits {
            transaction.commit().await.unwrap();
            let Answer::Done(record) = waiting.await.unwrap() else { panic!("not done") };
            let made = Kept::Result { bytes: Bytes::from_static(b"made"), content_type: "text/plain".into() };
            assert_eq!((record.fence, record.kept), (1, made));
        } else {
            transaction.rollback().await.unwrap();
            assert_eq!(fence(&waiting.await.unwrap()), 1, "the first was never there");
        }
    }
}

/// LG-32: a transaction with a snapshot of its own cannot see the outcome of the first: it is unavailable, and to be
/// repeated as a whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_with_an_older_snapshot_has_to_be_repeated() {
    let (space, ledger, mut first) = with_effects().await;
    let mut second = space.session().await;
    second.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM effect").await;
    assert_eq!(fence(&ledger.claim_in(&mut first.0, &asked(&key("a"), owner(), None), None).await.unwrap()), 1);
    let error = ledger.claim_in(&mut second.0, &asked(&key("a"), owner(), None), None).await.unwrap_err();
    assert!(error.is_unavailable() && error.to_string().contains("40001"), "{error}");
    second.run("ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ").await;
    let answer = ledger.claim_in(&mut second.0, &asked(&key("a"), owner(), None), None).await.unwrap();
    assert!(matches!(answer, Answer::Done(_)), "{answer:?}");
}

/// LG-32: what failed or whose lease is over is taken, what runs is busy, and what has another fingerprint is not touched.
#[tokio::test]
async fn in_a_transaction_what_can_be_claimed_is_claimed() {
    let (space, ledger, mut session) = with_effects().await;
    let running = claimed(&ledger, "running").await;
    let answer = ledger.claim_in(&mut session.0, &asked(&running.key, owner(), None), None).await.unwrap();
    assert!(matches!(answer, Answer::Busy { left } if left > LEASE / 2), "{answer:?}");
    let failed = claimed(&ledger, "failed").await;
    assert!(ledger.settle(&failed, &Settlement::Failed { reason: "no".into(), keep: None }).await.unwrap().is_yes());
    space.session().await.expire().await;
    for held in [&running, &failed] {
        let answer = ledger.claim_in(&mut session.0, &asked(&held.key, owner(), None), None).await.unwrap();
        assert_eq!(answer, Answer::Granted { fence: 2, grants: 2 });
        assert_eq!(ledger.settle(held, &done("late")).await.unwrap(), Held::Lost);
    }
    let print = |text: &'static str| Some(Bytes::from_static(text.as_bytes()));
    let name = key("print");
    let answer = ledger.claim_in(&mut session.0, &asked(&name, owner(), print("a")), None).await.unwrap();
    assert_eq!(fence(&answer), 1);
    let answer = ledger.claim_in(&mut session.0, &asked(&name, owner(), print("b")), None).await.unwrap();
    assert_eq!(answer, Answer::Mismatch);
    let Answer::Done(record) = ledger.claim_in(&mut session.0, &asked(&name, owner(), None), None).await.unwrap()
    else {
        panic!()
    };
    assert_eq!(record.kept, Kept::Nothing, "nothing was stored for it");
}

/// LG-32: a result is stored in the transaction that recorded the key, under a savepoint too, and never after its commit.
#[tokio::test]
async fn a_result_is_stored_before_the_commit_only() {
    let (_space, ledger, mut session) = with_effects().await;
    let (name, mine) = (key("a"), owner());
    let held = Holder { key: name.clone(), fence: 1, owner: mine };
    let store = async |connection: &mut PgConnection, text: &'static str| {
        ledger.store_in(connection, &held, &Bytes::from_static(text.as_bytes()), "text/plain").await.unwrap()
    };
    let mut transaction = session.0.begin().await.unwrap();
    let mut savepoint = transaction.begin().await.unwrap();
    assert_eq!(fence(&ledger.claim_in(&mut savepoint, &asked(&name, mine, None), None).await.unwrap()), 1);
    assert_eq!(store(&mut savepoint, "one").await, Held::Yes);
    savepoint.commit().await.unwrap();
    assert_eq!(store(&mut transaction, "two").await, Held::Yes);
    transaction.commit().await.unwrap();
    let mut transaction = session.0.begin().await.unwrap();
    assert_eq!(store(&mut transaction, "late").await, Held::Lost);
    transaction.commit().await.unwrap();
    let Answer::Done(record) = ledger.claim(&attempt(&name)).await.unwrap() else { panic!() };
    assert!(matches!(record.kept, Kept::Result { bytes, .. } if bytes == "two"));
}

/// LG-33: the statement and its parameters, run by hand, complete a claim; it changes one row, and none if it was lost.
#[tokio::test]
async fn another_driver_completes_a_claim() {
    let (_space, ledger, mut session) = with_effects().await;
    let held = claimed(&ledger, "a").await;
    let keep = Duration::from_secs(3_600);
    let completion = ledger.completion(&held, Bytes::from_static(b"made"), "text/plain", Some(keep));
    let run = async |session: &mut Session| {
        let query = sqlx::query(sqlx::AssertSqlSafe(&*completion.text));
        let query = query.bind(&completion.scope).bind(&completion.key).bind(completion.fence).bind(completion.owner);
        let query = query.bind(&*completion.result).bind(&completion.content_type).bind(completion.keep_us);
        query.execute(&mut session.0).await.unwrap().rows_affected()
    };
    session.run("BEGIN").await;
    assert_eq!(run(&mut session).await, 1);
    session.run("COMMIT").await;
    let row = session.row("SELECT content_type, result FROM seaworthy_ledger").await;
    assert_eq!((row.get::<String, _>(0), row.get::<Vec<u8>, _>(1)), ("text/plain".to_owned(), b"made".to_vec()));
    let kept = session.number("SELECT extract(epoch FROM expires_at - finished_at) FROM seaworthy_ledger").await;
    assert_eq!(kept, 3_600);
    assert_eq!(run(&mut session).await, 0, "it is done");
    assert!(matches!(ledger.claim(&attempt(&held.key)).await.unwrap(), Answer::Done(_)));
    // The text is what others have written into their programs.
    let expected = "UPDATE seaworthy_ledger
SET state = 1, result = $5::bytea, content_type = $6::text, reason = NULL,
    finished_at = clock_timestamp(), expires_at = clock_timestamp() + $7::bigint * interval '1 microsecond'
WHERE scope = $1::text AND key = $2::text AND fence = $3::bigint AND owner = $4::bytea AND state = 0";
    assert_eq!(&*completion.text, expected);
    let shown = format!("{completion:?}");
    assert!(!shown.contains("made") && shown.contains("4 bytes"), "{shown}");
}
