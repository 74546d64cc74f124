use std::time::{Duration, Instant};

use seaworthy::{BoxError, Shutdown};
use seaworthy_faults::pgbouncer::{Mode, PgBouncer};
use seaworthy_faults::postgres::Postgres as Server;
use seaworthy_leader::postgres::{Postgres, PostgresElector, migrate};
use seaworthy_leader::{ElectionError, Epoch, ErrorClass, FENCE_SQL, GuardError, LeaderGuard, Term};
use seaworthy_store::postgres::PgStore;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;

use super::support::{Space, quick, until};

/// LE-35: what is refused at the first contact is an error of the campaign, and a guard's failure: no table, no right to
/// it, and a server in recovery.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_deployment_is_refused() {
    let space = Space::empty().await;
    let elector = space.elector().await.build().unwrap();
    let error = elector.campaign("a").await.unwrap_err();
    assert_eq!(error.class(), Some(ErrorClass::Refused));
    assert!(error.to_string().contains("call `seaworthy_leader::postgres::migrate` first"), "{error}");
    assert_eq!(elector.store().check().await.unwrap_err().class(), ErrorClass::Refused);
    let (_running, shutdown) = Shutdown::new();
    let guard = LeaderGuard::new(elector, "a", |_: Term<Postgres>| async { Ok::<(), BoxError>(()) });
    let failed = guard.run(shutdown).await.unwrap_err();
    assert!(
        matches!(&failed, GuardError::Election(ElectionError::Store(error)) if error.class() == ErrorClass::Refused)
    );

    migrate(&space.store().await).await.unwrap();
    let mut session = space.session().await;
    let (name, role) = (space.name(), format!("{}_none", space.name()));
    session.run(&format!("CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {name} TO {role}")).await;
    session.run(&format!("GRANT SELECT ON seaworthy_schema, seaworthy_lease TO {role}")).await;
    let url = space.url().replace("postgres://postgres@", &format!("postgres://{role}@"));
    let elector = quick(PostgresElector::on(&PgStore::connect(&url).await.unwrap())).build().unwrap();
    let refused = elector.campaign("a").await.map(drop).unwrap_err();
    // Although it may look, and so has had an answer.
    let elector = quick(PostgresElector::on(&PgStore::connect(&url).await.unwrap())).build().unwrap();
    let guard = LeaderGuard::new(elector, "a", |_: Term<Postgres>| async { Ok::<(), BoxError>(()) });
    let failed = timeout(Duration::from_secs(5), guard.run(Shutdown::new().1)).await;
    session.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    assert_eq!(refused.class(), Some(ErrorClass::Refused), "{refused}");
    assert!(refused.to_string().contains("42501"), "{refused}");
    assert!(matches!(failed.expect("it looks like a follower"), Err(GuardError::Election(_))));
}

/// LE-35: a server that is in recovery is refused at the first contact, and waited for later: a failover is under way.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_in_recovery_is_waited_for() {
    let server = spawn_blocking(|| Server::start_with(&[("wal_level", "replica")])).await.unwrap();
    let store = PgStore::connect(&server.url()).await.unwrap();
    migrate(&store).await.unwrap();
    let elector = quick(PostgresElector::on(&store)).build().unwrap();
    elector.campaign("a").await.unwrap().resign().await;
    let server = spawn_blocking(move || {
        let mut server = server;
        server.shut_down();
        std::fs::write(server.directory().join("data/standby.signal"), "").unwrap();
        server.restart();
        server
    })
    .await
    .unwrap();
    assert_eq!(PgStore::connect(&server.url()).await.unwrap_err().class(), ErrorClass::Refused);
    assert!(elector.try_campaign("a").await.unwrap_err().is_unavailable());
    let waiting = tokio::spawn({
        let elector = elector.clone();
        async move { elector.campaign("a").await }
    });
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(!waiting.is_finished());
    let server = spawn_blocking(move || {
        assert_eq!(server.psql("SELECT pg_promote()"), "t");
        server
    })
    .await
    .unwrap();
    assert!(waiting.await.unwrap().unwrap().epoch() > Epoch::new(1));
    drop(server);
}

/// LE-37: a hundred names are renewed by one statement a tick; a row that somebody has locked is lost in the end, and holds
/// up none of the other 99.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_names_are_renewed_together() {
    let space = Space::of_leases().await;
    let elector = space.elector().await.build().unwrap();
    let mut campaigns = JoinSet::new();
    for number in 0..100 {
        let elector = elector.clone();
        campaigns.spawn(async move { elector.campaign(format!("name {number:02}")).await.unwrap() });
    }
    let terms = campaigns.join_all().await;
    let mut session = space.session().await;
    session
        .run(
            "CREATE SEQUENCE updates;
            CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM nextval('updates'); RETURN NULL; END $$;
            CREATE TRIGGER counted AFTER UPDATE ON seaworthy_lease FOR EACH STATEMENT EXECUTE FUNCTION counted()",
        )
        .await;
    // Renewed every 400 ms, which is to 5 s as these 4 s are to 50 s: 12.5 a minute at defaults.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let updates = session.number("SELECT last_value FROM updates").await;
    assert!((5..=12).contains(&updates), "{updates} statements");
    assert!(terms.iter().all(Term::is_valid));

    session.run("BEGIN; SELECT FROM seaworthy_lease WHERE name = 'name 07' FOR UPDATE").await;
    let locked = terms.iter().find(|term| term.name().as_str() == "name 07").unwrap();
    let began = Instant::now();
    until("the one whose row is locked is over", async || !locked.is_valid()).await;
    assert!(began.elapsed() > Duration::from_millis(600), "{:?}", began.elapsed());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(terms.iter().filter(|term| term.is_valid()).count(), 99);
    session.run("COMMIT").await;
    drop(terms);
    elector.close().await;
}

/// LE-53: the statement on a real table: what is written under an older epoch than the row's changes nothing, and the
/// history of epochs, of writers that are at it at once, never decreases.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_ones_own_is_fenced() {
    let space = Space::empty().await;
    let mut session = space.session().await;
    session
        .run(
            "CREATE TABLE my_table (id int PRIMARY KEY, data text, epoch bigint NOT NULL);
            INSERT INTO my_table VALUES (1, '', 0);
            CREATE TABLE history (n bigserial, epoch bigint);
            CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN INSERT INTO history (epoch) VALUES (NEW.epoch); RETURN NULL; END $$;
            CREATE TRIGGER note AFTER UPDATE ON my_table FOR EACH ROW EXECUTE FUNCTION note()",
        )
        .await;
    let mut writers = JoinSet::new();
    for writer in 0..8_i64 {
        let mut session = space.session().await;
        writers.spawn(async move {
            let mut refused = 0;
            for round in 0..40 {
                // Each is behind the newest for a while, as who leads no more.
                let epoch = Epoch::new(u64::try_from(round + writer % 4).unwrap());
                let epoch = i64::try_from(epoch.get()).unwrap();
                let write = sqlx::query(FENCE_SQL).bind("x").bind(epoch).bind(1).execute(&mut session.0).await.unwrap();
                assert!(write.rows_affected() <= 1);
                refused += 1 - write.rows_affected();
            }
            refused
        });
    }
    let refused: u64 = writers.join_all().await.iter().sum();
    let decreases = "SELECT count(*) FROM
        (SELECT epoch < lag(epoch) OVER (ORDER BY n) AS decreases FROM history) AS h WHERE decreases";
    assert_eq!(session.number(decreases).await, 0);
    let written = session.number("SELECT count(*) FROM history").await;
    assert_eq!(u64::try_from(written).unwrap() + refused, 320);
    assert!(refused > 0 && written > 40, "{refused} refused, {written} written");
}

/// IN-13: a hundred terms through a pooler, in transaction mode and in session mode, without a fault.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_terms_through_a_pooler() {
    let server = spawn_blocking(Server::start).await.unwrap();
    migrate(&PgStore::connect(&server.url()).await.unwrap()).await.unwrap();
    let server = std::sync::Arc::new(server);
    let mut epoch = 0;
    for mode in [Mode::Transaction, Mode::Session] {
        let pooler = spawn_blocking({
            let server = server.clone();
            move || PgBouncer::start_with(&server, mode, &[("default_pool_size", "2")])
        });
        let pooler = pooler.await.unwrap();
        let mut electors = Vec::new();
        for _ in 0..2 {
            let store = PgStore::builder(&pooler.url()).connections(1).connect().await.unwrap();
            assert!(store.is_pooled());
            electors.push(quick(PostgresElector::on(&store)).build().unwrap());
        }
        for number in 0..100 {
            let (one, other) = (&electors[number % 2], &electors[(number + 1) % 2]);
            let term = one.campaign("a").await.unwrap();
            epoch += 1;
            assert_eq!(term.epoch(), Epoch::new(epoch), "{mode:?}");
            assert!(other.try_campaign("a").await.unwrap().is_none());
            term.resign().await;
        }
    }
}
