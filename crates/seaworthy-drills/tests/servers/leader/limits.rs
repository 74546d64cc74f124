use std::time::{Duration, Instant};

use seaworthy_leader::postgres::PostgresElector;
use seaworthy_leader::store::Acquired;

use super::support::{LONG, Session, Space, acquire, bid, guarded, millis, taken};

async fn limits(session: &mut Session) -> [String; 2] {
    let statement = session.text("SHOW statement_timeout").await;
    [statement, session.text("SHOW idle_in_transaction_session_timeout").await].map(|text| text.trim().to_owned())
}

/// LE-52: a transaction that is guarded has the limit of its elector, for each statement and for each wait; what is
/// shorter stays, and after it all is as before.
#[tokio::test]
async fn a_guard_sets_the_limits_of_its_transaction() {
    let space = Space::of_leases().await;
    let leases = space.leases().await;
    let held = taken(&leases, "a", LONG).await;
    let mut session = space.session().await;
    for (before, within) in [
        (["0", "0"], ["2500ms", "2500ms"]),
        (["1s", "0"], ["1s", "2500ms"]),
        (["2499ms", "2501ms"], ["2499ms", "2500ms"]),
        (["1min", "1d"], ["2500ms", "2500ms"]),
        (["2h", "2499ms"], ["2500ms", "2499ms"]),
    ] {
        let [statement, idle] = before;
        session.run(&format!("SET statement_timeout = '{statement}'")).await;
        session.run(&format!("BEGIN; SET LOCAL idle_in_transaction_session_timeout = '{idle}'")).await;
        assert!(guarded(&leases, &mut session.0, &held, millis(2_500)).await.unwrap());
        assert_eq!(limits(&mut session).await, within, "{before:?}");
        session.run("COMMIT").await;
        assert_eq!(limits(&mut session).await, [statement, "0"], "{before:?}");
    }
}

/// LE-52: by default it is stop time and margin, else what the builder was told.
#[tokio::test]
async fn the_limit_is_the_electors() {
    let space = Space::of_leases().await;
    let store = space.store().await;
    let mut session = space.session().await;
    for (builder, expected) in [
        (PostgresElector::on(&store), "4s"),
        (PostgresElector::on(&store).stop_time(millis(1_500)), "2500ms"),
        (PostgresElector::on(&store).transaction_limit(Duration::from_secs(9)), "9s"),
    ] {
        let term = builder.build().unwrap().campaign("a").await.unwrap();
        session.run("BEGIN").await;
        term.guard(&mut session.0).await.unwrap();
        assert_eq!(limits(&mut session).await, [expected; 2]);
        session.run("COMMIT").await;
        term.resign().await;
    }
    for wrong in [millis(49), millis(15_001)] {
        let error = PostgresElector::on(&store).transaction_limit(wrong).build().unwrap_err();
        assert!(error.to_string().contains("transaction_limit"), "{error}");
    }
}

/// LE-52: the transaction of a process that says nothing more is ended by the server, and so is one whose statement goes
/// on for longer than the limit; then the next leads.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_stands_still_is_ended() {
    let space = Space::of_leases().await;
    let leases = space.leases().await;
    let mut watching = space.session().await;
    for (number, statement) in [None, Some("SELECT pg_sleep(5)")].into_iter().enumerate() {
        let held = taken(&leases, "a", LONG).await;
        let mut session = space.session().await;
        session.run("CREATE TABLE IF NOT EXISTS written (n int)").await;
        session.run("BEGIN").await;
        assert!(guarded(&leases, &mut session.0, &held, millis(400)).await.unwrap());
        session.run("INSERT INTO written VALUES (1)").await;
        watching.end_leases().await;
        let began = Instant::now();
        let running = tokio::spawn(async move {
            let error = match statement {
                Some(statement) => sqlx::query(statement).execute(&mut session.0).await.err(),
                None => {
                    tokio::time::sleep(millis(900)).await;
                    sqlx::query("COMMIT").execute(&mut session.0).await.err()
                }
            };
            // The server says no more to who waits: it ends the session, and the transaction with it.
            let _ended = sqlx::query("ROLLBACK").execute(&mut session.0).await;
            error
        });
        let next = acquire(&leases, &bid("a"), LONG).await;
        assert_eq!(next, Acquired::Granted { epoch: held.epoch + 1, before: held.epoch });
        let took = began.elapsed();
        assert!(took >= millis(300) && took < millis(900), "{number}: {took:?}");
        assert!(running.await.unwrap().is_some(), "{number}: it could not commit");
        assert_eq!(watching.number("SELECT count(*) FROM written").await, 0, "{number}");
        watching.end_leases().await;
    }
}
