use std::time::Duration;

use seaworthy_ledger::postgres::Postgres;
use seaworthy_ledger::{
    Claim, ClaimRequest, Claimed, ClaimedIn, Completion, ErrorClass, Held, Kept, Ledger, LedgerError,
};
use sqlx::{AssertSqlSafe, Connection};

use super::support::{Session, Space, key};

async fn ledger(space: &Space) -> Ledger<Postgres> {
    Ledger::postgres("test", &space.store().await).max_result(100).build().unwrap()
}

async fn mine(ledger: &Ledger<Postgres>, name: &str) -> Claim<Postgres> {
    match ledger.claim(&key(name)).await.unwrap() {
        Claimed::Mine(claim) => claim,
        other => panic!("{name} was to be had, and is {other:?}"),
    }
}

async fn kept(ledger: &Ledger<Postgres>, name: &str) -> Kept {
    match ledger.claim(&key(name)).await.unwrap() {
        Claimed::Done(record) => record.kept,
        other => panic!("{name} was done, and is {other:?}"),
    }
}

fn result(text: &'static str, content_type: &'static str) -> Kept {
    Kept::Result { bytes: text.into(), content_type: content_type.into() }
}

/// LG-03, LG-08, LG-09: a ledger's handle on Postgres: completed, failed, released, dropped.
#[tokio::test]
async fn a_ledger_in_postgres_is_a_ledger() {
    let space = Space::new().await;
    let (here, there) = (ledger(&space).await, ledger(&space).await);
    let claim = mine(&here, "a").await;
    assert!(claim.is_first());
    let Claimed::Busy { retry_in } = there.claim(&key("a")).await.unwrap() else { panic!("it is taken") };
    assert!(retry_in > Duration::from_secs(30) && retry_in <= Duration::from_secs(60), "{retry_in:?}");
    let failed = claim.fail("no").await.unwrap();
    assert_eq!(failed, Held::Yes);
    let claim = mine(&there, "a").await;
    assert_eq!((claim.is_first(), claim.fence()), (false, 2));
    assert_eq!(claim.complete(Completion::new("made").content_type("text/plain")).await.unwrap(), Held::Yes);
    assert_eq!(kept(&here, "a").await, result("made", "text/plain"));
    // Dropped before it was begun, it is given back.
    drop(mine(&here, "b").await);
    here.close().await;
    assert_eq!(mine(&there, "b").await.fence(), 2);
    there.close().await;
}

/// LG-22: claims that are held are renewed, each third of their lease, and are so while one of them is being completed in a
/// transaction.
#[tokio::test(flavor = "multi_thread")]
async fn held_claims_are_renewed() {
    let space = Space::new().await;
    let ledger = Ledger::postgres("test", &space.store().await)
        .lease(Duration::from_secs(1))
        .request_timeout(Duration::from_millis(300))
        .build()
        .unwrap();
    let (mut one, mut two) = (mine(&ledger, "one").await, mine(&ledger, "two").await);
    let (lost_one, lost_two) = (one.hold(), two.hold());
    let mut session = space.session().await;
    let mut transaction = session.0.begin().await.unwrap();
    assert_eq!(one.complete_in(&mut transaction, "made").await.unwrap(), Held::Yes);
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert!(!lost_two.is_requested(), "it is renewed although its neighbour is locked");
    transaction.commit().await.unwrap();
    one.settled();
    assert_eq!(two.complete("made").await.unwrap(), Held::Yes);
    drop(lost_one);
    ledger.close().await;
}

/// LG-30, LG-31: a claim is completed by reference, as often as that is rolled back, and is settled with the commit.
#[tokio::test]
async fn a_claim_is_completed_in_a_transaction() {
    let space = Space::new().await;
    let ledger = ledger(&space).await;
    let mut session = space.session().await;
    let claim = mine(&ledger, "a").await;
    let mut transaction = session.0.begin().await.unwrap();
    assert_eq!(claim.complete_in(&mut transaction, "one").await.unwrap(), Held::Yes);
    transaction.rollback().await.unwrap();
    let mut transaction = session.0.begin().await.unwrap();
    let completion = Completion::failed_for_good("never");
    assert_eq!(claim.complete_in(&mut transaction, completion).await.unwrap(), Held::Yes);
    transaction.commit().await.unwrap();
    assert_eq!(claim.complete_in(&mut session.0, "two").await.unwrap(), Held::Lost, "it is done");
    claim.settled();
    assert_eq!(ledger.held(), 0);
    assert_eq!(kept(&ledger, "a").await, Kept::Failed("never".into()));
}

/// LG-16: a result that is too large is refused before the transaction is touched.
#[tokio::test]
async fn a_result_that_is_too_large_leaves_the_transaction_alone() {
    let space = Space::new().await;
    let ledger = ledger(&space).await;
    let mut session = space.session().await;
    let large = vec![0; 101];
    let mut transaction = session.0.begin().await.unwrap();
    let ClaimedIn::First(first) = ledger.claim_in(&mut transaction, &key("in")).await.unwrap() else { panic!("first") };
    let claim = mine(&ledger, "out").await;
    for error in [
        claim.complete_in(&mut transaction, large.clone()).await.unwrap_err(),
        claim.completion(large.clone(), "").unwrap_err(),
        ledger.store_in(&mut transaction, &first, large, "").await.unwrap_err(),
    ] {
        assert!(matches!(error, LedgerError::TooLarge { size: 101, limit: 100 }), "{error:?}");
    }
    transaction.commit().await.unwrap();
    assert_eq!(kept(&ledger, "in").await, Kept::Nothing);
    assert_eq!(claim.complete(vec![0; 100]).await.unwrap(), Held::Yes);
}

/// LG-32: work that is wholly in a transaction: the first, with a result, and what others are told; a lease and a rank are
/// refused, because they would mean nothing.
#[tokio::test]
async fn work_in_a_transaction_records_itself() {
    let space = Space::new().await;
    let ledger = ledger(&space).await;
    let mut session = space.session().await;
    let mut transaction = session.0.begin().await.unwrap();
    let request = ClaimRequest::new(key("a")).fingerprint("print").keep(Duration::from_secs(3_600));
    let ClaimedIn::First(first) = ledger.claim_in(&mut transaction, request.clone()).await.unwrap() else {
        panic!("first")
    };
    assert_eq!((first.fence(), first.key()), (1, &key("a")));
    assert_eq!(ledger.store_in(&mut transaction, &first, "made", "text/plain").await.unwrap(), Held::Yes);
    transaction.commit().await.unwrap();
    assert_eq!(kept(&ledger, "a").await, result("made", "text/plain"));
    let expires = "SELECT extract(epoch FROM expires_at - finished_at)::bigint FROM seaworthy_ledger";
    assert_eq!(session.number(expires).await, 3_600);
    let again = ledger.claim_in(&mut session.0, request.clone()).await.unwrap();
    assert!(matches!(&again, ClaimedIn::Done(record) if record.kept == result("made", "text/plain")), "{again:?}");
    let other = ledger.claim_in(&mut session.0, ClaimRequest::new(key("a")).fingerprint("other")).await.unwrap();
    assert!(matches!(other, ClaimedIn::Mismatch), "{other:?}");
    let _running = mine(&ledger, "b").await;
    let busy = ledger.claim_in(&mut session.0, &key("b")).await.unwrap();
    assert!(matches!(busy, ClaimedIn::Busy { retry_in } if retry_in > Duration::from_secs(30)), "{busy:?}");
    for wrong in
        [request.clone().lease(Duration::from_secs(9)), request.clone().rank(1), request.fingerprint(vec![0; 65])]
    {
        let error = ledger.claim_in(&mut session.0, wrong).await.unwrap_err();
        assert!(matches!(error, LedgerError::Request(_)), "{error:?}");
    }
}

/// LG-33: the statement of a claim, run by a connection that knows nothing of it.
#[tokio::test]
async fn a_claim_gives_its_statement() {
    let space = Space::new().await;
    let ledger = ledger(&space).await;
    let claim = mine(&ledger, "a").await;
    let parts = claim.completion("made", "text/plain").unwrap();
    let mut session = space.session().await;
    let run = async |session: &mut Session| {
        let query = sqlx::query(AssertSqlSafe(&*parts.text)).bind(&parts.scope).bind(&parts.key).bind(parts.fence);
        let query = query.bind(parts.owner).bind(&*parts.result).bind(&parts.content_type).bind(parts.keep_us);
        query.execute(&mut session.0).await.unwrap().rows_affected()
    };
    assert_eq!((run(&mut session).await, run(&mut session).await), (1, 0));
    claim.settled();
    assert_eq!(kept(&ledger, "a").await, result("made", "text/plain"));
}

/// LG-91: an error's text has what was asked, and its source is the driver's.
#[tokio::test]
async fn an_error_says_what_was_asked() {
    let space = Space::new().await;
    let ledger = ledger(&space).await;
    let claim = mine(&ledger, "a-long-key-that-is-cut").await;
    space.session().await.run("ALTER TABLE seaworthy_ledger RENAME TO gone").await;
    let refused = ledger.claim(&key("b")).await.unwrap_err();
    assert_eq!(refused.class(), Some(ErrorClass::Refused));
    let text = refused.to_string();
    assert!(text.starts_with("ledger: claim: ") && text.contains("42P01"), "{text}");
    let source = std::error::Error::source(&refused).unwrap();
    assert!(source.downcast_ref::<sqlx::Error>().is_some(), "{source:?}");
    let unsettled = claim.complete("a-secret").await.unwrap_err();
    let text = format!("{unsettled} {unsettled:?}");
    assert!(text.contains("complete") || text.contains("settle"), "{text}");
    assert!(!text.contains("that-is-cut") && !text.contains("a-secret"), "{text}");
}
