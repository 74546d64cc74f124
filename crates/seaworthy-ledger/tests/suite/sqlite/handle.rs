use std::time::Duration;

use seaworthy_ledger::sqlite::Sqlite;
use seaworthy_ledger::{
    Claim, ClaimRequest, Claimed, ClaimedIn, EntryState, ErrorClass, Held, Kept, Key, Ledger, LedgerError,
};
use seaworthy_store::time;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Executor, query};

use super::{Directory, key};

async fn ledger(directory: &Directory) -> Ledger<Sqlite> {
    let store = directory.builder().open().await.expect("a file of our own");
    Ledger::sqlite("test", &store).build().expect("the defaults")
}

async fn mine(ledger: &Ledger<Sqlite>, request: impl Into<ClaimRequest>) -> Claim<Sqlite> {
    match ledger.claim(request).await.expect("up") {
        Claimed::Mine(claim) => claim,
        other => panic!("{other:?}"),
    }
}

async fn in_transaction(connection: &mut SqliteConnection) {
    connection.execute("BEGIN IMMEDIATE").await.expect("begun");
}

async fn end(connection: &mut SqliteConnection, how: &'static str) {
    connection.execute(how).await.expect(how);
}

/// LG-30, LG-31: a claim is completed by reference in the caller's transaction, as often as that is rolled back, and is
/// told of the commit after it; who forgets that has lost nothing but renewals.
#[tokio::test]
async fn completed_in_a_transaction() {
    let directory = Directory::new();
    let ledger = ledger(&directory).await;
    let claim = mine(&ledger, &key("a")).await;
    let forgetful = mine(&ledger, &key("b")).await;
    let mut ours = directory.stranger().await;
    for last in ["ROLLBACK", "COMMIT"] {
        in_transaction(&mut ours).await;
        assert_eq!(claim.complete_in(&mut ours, "42").await.expect("up"), Held::Yes);
        assert_eq!(forgetful.complete_in(&mut ours, "43").await.expect("up"), Held::Yes);
        end(&mut ours, last).await;
        let entry = ledger.lookup(&key("a")).await.expect("up").expect("known");
        assert_eq!(entry.state == EntryState::Done, last == "COMMIT");
    }
    claim.settled();
    drop(forgetful);
    ledger.close().await;
    assert_eq!(ledger.held(), 0);
    for (value, result) in [("a", "42"), ("b", "43")] {
        let Claimed::Done(record) = ledger.claim(&key(value)).await.expect("up") else { panic!("not done") };
        assert_eq!(record.result().map(|result| &result[..]), Some(result.as_bytes()));
    }
}

/// LG-31: from the commit on a renewal finds nothing to renew, and that is not told as lost to who has not said `settled`
/// yet.
#[tokio::test]
async fn committed_is_not_lost() {
    let directory = Directory::new();
    let store = directory.builder().open().await.expect("a file");
    let ledger = Ledger::sqlite("test", &store).lease(Duration::from_secs(4)).request_timeout(Duration::from_secs(1));
    let ledger = ledger.build().expect("allowed");
    let mut claim = mine(&ledger, &key("a")).await;
    let lost = claim.hold();
    let mut ours = directory.stranger().await;
    in_transaction(&mut ours).await;
    assert_eq!(claim.complete_in(&mut ours, "42").await.expect("up"), Held::Yes);
    end(&mut ours, "COMMIT").await;
    // The next renewal is due after a third of the lease.
    time::sleep(Duration::from_millis(1_800)).await;
    assert!(!lost.is_requested());
    claim.settled();
    ledger.close().await;
    assert!(!lost.is_requested());
}

/// LG-16, LG-30, LG-33: a result that is too large is refused before the transaction is touched, however the claim is
/// completed, and the claim stays with the caller.
#[tokio::test]
async fn too_large() {
    let directory = Directory::new();
    let store = directory.builder().open().await.expect("a file");
    let ledger = Ledger::sqlite("test", &store).max_result(2).build().expect("allowed");
    let claim = mine(&ledger, &key("a")).await;
    let mut ours = directory.stranger().await;
    in_transaction(&mut ours).await;
    let too_large = |error| matches!(error, LedgerError::TooLarge { size: 3, limit: 2 });
    assert!(too_large(claim.complete_in(&mut ours, "123").await.expect_err("too large")));
    assert!(too_large(claim.completion("123", "").expect_err("too large")));
    let ClaimedIn::First(first) = ledger.claim_in(&mut ours, &key("b")).await.expect("up") else { panic!("not first") };
    assert!(too_large(ledger.store_in(&mut ours, &first, "123", "").await.expect_err("too large")));
    assert_eq!(ledger.store_in(&mut ours, &first, "12", "").await.expect("up"), Held::Yes);
    assert_eq!(claim.complete_in(&mut ours, "12").await.expect("up"), Held::Yes);
    end(&mut ours, "COMMIT").await;
    claim.settled();
}

/// LG-32: work that is wholly in a transaction: the first, with or without a result, and what others are told.
#[tokio::test]
async fn claimed_in_a_transaction() {
    let directory = Directory::new();
    let ledger = ledger(&directory).await;
    ledger.store().migrate().await.expect("installed");
    let mut ours = directory.stranger().await;
    in_transaction(&mut ours).await;
    let request = || ClaimRequest::new(key("a")).fingerprint(&b"one"[..]).keep(Duration::from_secs(120));
    let ClaimedIn::First(first) = ledger.claim_in(&mut ours, request()).await.expect("up") else { panic!("not first") };
    assert_eq!((first.key(), first.fence()), (&key("a"), 1));
    assert_eq!(ledger.store_in(&mut ours, &first, "42", "text/plain").await.expect("up"), Held::Yes);
    let ClaimedIn::First(_) = ledger.claim_in(&mut ours, &key("b")).await.expect("up") else { panic!("not first") };
    end(&mut ours, "COMMIT").await;

    let ClaimedIn::Done(record) = ledger.claim_in(&mut ours, request()).await.expect("up") else { panic!("not done") };
    assert!(matches!(record.kept, Kept::Result { content_type, .. } if content_type == "text/plain"));
    let other = ClaimRequest::new(key("a")).fingerprint(&b"two"[..]);
    assert!(matches!(ledger.claim_in(&mut ours, other).await.expect("up"), ClaimedIn::Mismatch));
    let Claimed::Done(record) = ledger.claim(&key("b")).await.expect("up") else { panic!("not done") };
    assert_eq!(record.kept, Kept::Nothing);
    let held = mine(&ledger, &key("c")).await;
    let busy = ledger.claim_in(&mut ours, &key("c")).await.expect("up");
    assert!(matches!(busy, ClaimedIn::Busy { retry_in } if retry_in > Duration::from_secs(50)), "{busy:?}");
    assert!(held.release().await.expect("up").is_yes());
    let fresh = || ClaimRequest::new(key("d"));
    for wrong in [fresh().fingerprint(vec![0; 65]), fresh().lease(Duration::from_secs(60)), fresh().rank(1)] {
        let error = ledger.claim_in(&mut ours, wrong).await.expect_err("not to be used");
        assert!(matches!(error, LedgerError::Request(_)), "{error:?}");
    }
    assert_eq!(ledger.lookup(&key("d")).await.expect("up"), None);
}

/// LG-32: in a file without the tables a claim in a transaction is refused, and says so: it cannot make them, because
/// the transaction has the file.
#[tokio::test]
async fn the_tables_must_be_there() {
    let directory = Directory::new();
    let ledger = ledger(&directory).await;
    let mut ours = directory.stranger().await;
    in_transaction(&mut ours).await;
    let error = ledger.claim_in(&mut ours, &key("a")).await.expect_err("no table");
    assert_eq!(error.class(), Some(ErrorClass::Refused));
    assert!(error.to_string().contains("table"), "{error}");
    end(&mut ours, "ROLLBACK").await;
}

/// LG-33: the statement of a claim, run by a connection that knows nothing of it.
#[tokio::test]
async fn the_statement_of_a_claim() {
    let directory = Directory::new();
    let ledger = ledger(&directory).await;
    let claim = mine(&ledger, &key("a")).await;
    let statement = claim.completion("42", "text/plain").expect("small");
    let mut theirs = directory.stranger().await;
    let changed = query(AssertSqlSafe(statement.text.clone()))
        .bind(&*statement.scope)
        .bind(&*statement.key)
        .bind(statement.fence)
        .bind(&statement.owner[..])
        .bind(&statement.result[..])
        .bind(&*statement.content_type)
        .bind(statement.keep_us);
    assert_eq!(changed.execute(&mut theirs).await.expect("it is SQL").rows_affected(), 1);
    claim.settled();
    assert!(matches!(ledger.claim(&key("a")).await.expect("up"), Claimed::Done(_)));
    assert_eq!(statement.keep_us, Some(7 * 24 * 3600 * 1_000_000));
}

/// LG-22: a claim that is held keeps its row for much longer than its lease; another process, that is another ledger,
/// finds it busy all the time, and free as soon as it is given back.
#[tokio::test]
async fn held_for_longer_than_the_lease() {
    let directory = Directory::new();
    let built = async || {
        let store = directory.builder().open().await.expect("a file");
        let builder = Ledger::sqlite("test", &store).lease(Duration::from_secs(1));
        builder.request_timeout(Duration::from_millis(300)).build().expect("allowed")
    };
    let (ours, theirs) = (built().await, built().await);
    let mut claim = mine(&ours, &key("a")).await;
    let lost = claim.hold();
    let end = time::now() + Duration::from_millis(2_500);
    let mut looks = 0;
    while time::now() < end {
        let busy = theirs.claim(&key("a")).await.expect("up");
        assert!(matches!(busy, Claimed::Busy { retry_in } if retry_in <= Duration::from_secs(1)), "{busy:?}");
        looks += 1;
        time::sleep(Duration::from_millis(50)).await;
    }
    assert!(looks > 20 && !lost.is_requested(), "{looks}");
    assert!(claim.release().await.expect("up").is_yes());
    drop(mine(&theirs, &key("a")).await);
    theirs.close().await;
    ours.close().await;
}

/// LG-09: a claim that is dropped before its work began is given back in the background, in the file too, and is not
/// counted.
#[tokio::test]
async fn dropped_before_the_work() {
    let directory = Directory::new();
    let ledger = ledger(&directory).await;
    drop(mine(&ledger, &key("a")).await);
    ledger.close().await;
    let entry = ledger.lookup(&key("a")).await.expect("up").expect("known");
    assert_eq!((entry.state, entry.grants), (EntryState::Failed, 0));
    assert!(mine(&ledger, Key::clone(&key("a"))).await.is_first());
}
