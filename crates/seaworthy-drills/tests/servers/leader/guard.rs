use std::time::Instant;

use seaworthy_faults::pgbouncer::{Mode, PgBouncer};
use seaworthy_faults::postgres::Postgres as Server;
use seaworthy_leader::postgres::{Postgres, PostgresElector, migrate};
use seaworthy_leader::store::{Acquired, LeaseStore, Renewal, Tenure};
use seaworthy_leader::{ErrorClass, FenceError};
use seaworthy_store::postgres::PgStore;
use sqlx::{Connection, PgConnection};
use tokio::task::{JoinSet, spawn_blocking};

use super::support::{
    LONG, Session, Space, UNLIMITED, WHENEVER, acquire, bid, candidate, guarded, millis, renew, taken,
};

/// A lease, and a session whose transaction it guards.
async fn guarding(space: &Space, leases: &Postgres) -> (Tenure, Session) {
    let held = taken(leases, "a", LONG).await;
    let mut session = space.session().await;
    session.run("BEGIN").await;
    assert!(guarded(leases, &mut session.0, &held, UNLIMITED).await.unwrap());
    (held, session)
}

/// LE-51: renewals and the release go on beside a guarded transaction; an acquisition waits until it has ended, and the
/// old epoch guards nothing then. LE-10: it is granted as soon as the lock is free, in the same statement.
#[tokio::test(flavor = "multi_thread")]
async fn renewals_pass_and_acquisitions_wait() {
    let space = Space::of_leases().await;
    let leases = space.leases().await;
    for commits in [true, false] {
        let (held, mut session) = guarding(&space, &leases).await;
        let began = Instant::now();
        assert_eq!(renew(&leases, &held, LONG).await, Renewal::Renewed);
        assert_eq!(leases.read(&[]).await.unwrap().each, []);
        leases.release(&held.name, held.term).await.unwrap();
        assert!(began.elapsed() < millis(300), "they do not wait: {:?}", began.elapsed());
        let waiting = tokio::spawn({
            let leases = leases.clone();
            async move { acquire(&leases, &bid("a"), millis(300)).await }
        });
        tokio::time::sleep(millis(500)).await;
        assert!(!waiting.is_finished(), "the lease is free, and the transaction is open");
        session.run(if commits { "COMMIT" } else { "ROLLBACK" }).await;
        let ended = Instant::now();
        let next = waiting.await.unwrap();
        assert_eq!(next, Acquired::Granted { epoch: held.epoch + 1, before: held.epoch });
        assert!(ended.elapsed() < millis(200), "{:?}", ended.elapsed());
        session.run("BEGIN").await;
        assert!(!guarded(&leases, &mut session.0, &held, UNLIMITED).await.unwrap(), "its term is over");
        let next = Tenure { epoch: held.epoch + 1, ..held };
        assert!(guarded(&leases, &mut session.0, &next, UNLIMITED).await.unwrap());
        session.run("COMMIT").await;
        session.end_leases().await;
    }
}

/// LE-10: an acquisition waits for a second, and is then told that the row is locked; several bids do not wait, and the
/// others are granted. An update of the same columns that does not lock the row first does not wait: that is why the
/// statement has its form.
#[tokio::test(flavor = "multi_thread")]
async fn the_form_of_the_acquisition_matters() {
    let space = Space::of_leases().await;
    let leases = space.leases().await;
    let (held, mut session) = guarding(&space, &leases).await;
    let mut other = space.session().await;
    other.end_leases().await;
    let mine = bid("a");
    let began = Instant::now();
    assert_eq!(acquire(&leases, &mine, LONG).await, Acquired::Locked);
    let took = began.elapsed();
    assert!(took >= millis(950) && took < millis(1_600), "{took:?}");
    let bids = [bid("b"), mine.clone(), bid("c")];
    let began = Instant::now();
    let answers = leases.acquire(&candidate(LONG), &bids, WHENEVER).await.unwrap().each;
    let free = Acquired::Granted { epoch: 1, before: 0 };
    assert_eq!(answers, [free.clone(), Acquired::Locked, free]);
    assert!(began.elapsed() < millis(300), "{:?}", began.elapsed());

    other.run("BEGIN; SET LOCAL lock_timeout = '50ms'").await;
    let upsert = "INSERT INTO seaworthy_lease AS l VALUES ('a', 1, 'x', '', now(), now()) ON CONFLICT (name)
        DO UPDATE SET epoch = l.epoch + 1, term = '\\x00', expires_at = now() + interval '1 minute'
        WHERE l.expires_at <= clock_timestamp() RETURNING epoch";
    assert_eq!(other.row(upsert).await.try_get_epoch(), 2, "it would have led beside the transaction");
    other.run("ROLLBACK").await;

    session.run("COMMIT").await;
    let next = acquire(&leases, &mine, LONG).await;
    assert_eq!(next, Acquired::Granted { epoch: held.epoch + 1, before: held.epoch });
}

trait Epoch {
    fn try_get_epoch(&self) -> i64;
}

impl Epoch for sqlx::postgres::PgRow {
    fn try_get_epoch(&self) -> i64 {
        sqlx::Row::get(self, 0)
    }
}

/// LE-51: 16 streams of guarded transactions of an old leader do not hold the acquisition up, because no guard is given
/// on a lease that is over.
#[tokio::test(flavor = "multi_thread")]
async fn streams_of_an_old_leader_do_not_hold_up_the_next() {
    let space = Space::of_leases().await;
    let leases = space.leases().await;
    let held = taken(&leases, "a", millis(600)).await;
    let mut streams = JoinSet::new();
    for _ in 0..16 {
        let (leases, held, mut session) = (leases.clone(), held.clone(), space.session().await);
        streams.spawn(async move {
            for transactions in 0_u32.. {
                session.run("BEGIN").await;
                let is_guarded = guarded(&leases, &mut session.0, &held, UNLIMITED).await.unwrap();
                if is_guarded {
                    session.run("SELECT pg_sleep(0.05)").await;
                }
                session.run("COMMIT").await;
                if !is_guarded {
                    return transactions;
                }
            }
            0
        });
    }
    let ends = Instant::now() + millis(600);
    let mine = bid("a");
    let next = loop {
        match acquire(&leases, &mine, LONG).await {
            Acquired::Held(row) => tokio::time::sleep(row.left).await,
            other => break other,
        }
    };
    let late = Instant::now().saturating_duration_since(ends);
    assert_eq!(next, Acquired::Granted { epoch: 2, before: 1 });
    assert!(late < millis(800), "{late:?} after the lease's end");
    let transactions = streams.join_all().await.iter().sum::<u32>();
    assert!(transactions >= 16, "{transactions} transactions were guarded");
}

/// LE-51: a term guards a transaction; not one that it ends before, nor what is no transaction.
#[tokio::test(flavor = "multi_thread")]
async fn a_term_guards_a_transaction() {
    let space = Space::of_leases().await;
    let elector = space.elector().await.build().unwrap();
    let term = elector.campaign("a").await.unwrap();
    let mut session = space.session().await;
    let error = term.guard(&mut session.0).await.unwrap_err();
    let FenceError::Store(error) = &error else { panic!("{error}") };
    assert_eq!(error.class(), ErrorClass::Refused);
    assert!(error.to_string().contains("begin one first"), "{error}");

    let mut transaction = session.0.begin().await.unwrap();
    term.guard(&mut transaction).await.unwrap();
    sqlx::query("CREATE TABLE made (n int)").execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(session.number("SELECT count(*) FROM made").await, 0);

    // Somebody takes it away; the term does not know yet.
    space.session().await.run("UPDATE seaworthy_lease SET epoch = epoch + 1").await;
    let mut transaction = session.0.begin().await.unwrap();
    let error = term.guard(&mut transaction).await.unwrap_err();
    assert!(matches!(&error, FenceError::Over { .. }), "{error}");
    transaction.rollback().await.unwrap();
    // When it knows it asks nobody: what is no transaction is over, too.
    super::support::until("it is told", async || !term.is_valid()).await;
    assert!(matches!(term.guard(&mut session.0).await.unwrap_err(), FenceError::Over { .. }));
    elector.close().await;
}

/// LE-51: a transaction with an older snapshot is guarded by it as long as no other term began since, also if the lease was
/// renewed or given back; if one did it is unavailable, and to be repeated.
#[tokio::test]
async fn an_older_snapshot_guards_no_older_epoch() {
    let space = Space::of_leases().await;
    let leases = space.leases().await;
    let mut session = space.session().await;
    for isolation in ["REPEATABLE READ", "SERIALIZABLE"] {
        for (renews, releases) in [(0, false), (1, false), (2, true), (0, true)] {
            for is_taken in [false, true] {
                let held = taken(&leases, "a", LONG).await;
                let begin = format!("BEGIN ISOLATION LEVEL {isolation}; SELECT count(*) FROM seaworthy_lease");
                session.run(&begin).await;
                for _ in 0..renews {
                    assert_eq!(renew(&leases, &held, LONG).await, Renewal::Renewed);
                }
                if releases {
                    leases.release(&held.name, held.term).await.unwrap();
                }
                if is_taken {
                    space.session().await.end_leases().await;
                    taken(&leases, "a", LONG).await;
                }
                let is_guarded = guarded(&leases, &mut session.0, &held, UNLIMITED).await;
                if is_taken {
                    let error = is_guarded.unwrap_err();
                    assert!(error.is_unavailable() && error.to_string().contains("40001"), "{error}");
                } else {
                    assert!(is_guarded.unwrap(), "{isolation} {renews} {releases}");
                    space.session().await.end_leases().await;
                    let bids = [bid("a"), bid(&format!("{isolation} {renews} {releases}"))];
                    let answers = leases.acquire(&candidate(LONG), &bids, WHENEVER).await.unwrap().each;
                    assert_eq!(answers[0], Acquired::Locked, "nobody else leads before it has ended");
                }
                session.run("ROLLBACK").await;
                space.session().await.end_leases().await;
            }
        }
    }
}

/// LE-51: behind a pooler a transaction is guarded as without, nothing stays prepared, and what is no transaction is told.
#[tokio::test(flavor = "multi_thread")]
async fn behind_a_pooler_a_transaction_is_guarded() {
    let (server, pooler) = spawn_blocking(|| {
        let server = Server::start();
        let pooler = PgBouncer::start_with(
            &server,
            Mode::Transaction,
            &[("default_pool_size", "4"), ("ignore_startup_parameters", "extra_float_digits")],
        );
        (server, pooler)
    })
    .await
    .unwrap();
    let store = PgStore::connect(&pooler.url()).await.unwrap();
    migrate(&store).await.unwrap();
    let term = PostgresElector::on(&store).build().unwrap().campaign("a").await.unwrap();
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.push(Session(PgConnection::connect(&pooler.url()).await.unwrap()));
    }
    for _ in 0..10 {
        for session in &mut sessions {
            session.run("BEGIN").await;
            term.guard(&mut session.0).await.unwrap();
            session.run("COMMIT").await;
            let error = term.guard(&mut session.0).await.unwrap_err();
            assert!(matches!(&error, FenceError::Store(error) if error.class() == ErrorClass::Refused), "{error}");
        }
    }
    let prepared = sessions[0].row("SELECT count(*)::text FROM pg_prepared_statements").await;
    assert_eq!(sqlx::Row::get::<String, _>(&prepared, 0), "0");
    drop((store, server));
}
