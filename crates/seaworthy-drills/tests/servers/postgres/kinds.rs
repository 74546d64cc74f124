use std::sync::Arc;
use std::time::Duration;

use seaworthy_faults::pgbouncer::{Mode, PgBouncer};
use seaworthy_faults::postgres::Postgres as Server;
use seaworthy_ledger::ErrorClass;
use seaworthy_ledger::postgres::{Postgres, migrate};
use seaworthy_ledger::store::{Answer, LedgerStore};
use seaworthy_store::postgres::{PgStore, Statement};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Executor, Row};
use tokio::task::{JoinSet, spawn_blocking};

use super::support::{Space, attempt, claimed, done, holder, key};

const SETTINGS: &str =
    "SELECT concat_ws(' ', current_setting('transaction_isolation'), current_setting('lock_timeout'),
    current_setting('statement_timeout'))";

async fn setting(store: &PgStore, sql: &'static str) -> String {
    let rows = store.rows("look", &Statement::new(store.names(), sql), |_| Ok(())).await.unwrap();
    rows[0].get(0)
}

/// CO-20: each statement is at READ COMMITTED and has its limits, whatever the session's defaults are, and leaves those
/// alone.
#[tokio::test]
async fn statements_are_at_read_committed_whatever_the_default_is() {
    let space = Space::empty().await;
    let url = format!("{}%20-cdefault_transaction_isolation%3Dserializable", space.url());
    let direct = PgStore::connect(&url).await.unwrap();
    assert!(!direct.is_pooled());
    let pool = PgPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
    let callers = PgStore::from_pool(pool.clone()).connect().await.unwrap();
    let pooled = PgStore::builder(&url).pooled().connect().await.unwrap();
    assert!(callers.is_pooled() && pooled.is_pooled());
    for store in [&direct, &callers, &pooled] {
        assert_eq!(setting(store, SETTINGS).await, "read committed 500ms 5s", "{store:?}");
    }
    let theirs: String = pool.fetch_one(SETTINGS).await.unwrap().get(0);
    assert_eq!(theirs, "serializable 0 0");
}

/// CO-20: of a caller's pool nothing is kept and nothing prepared; a setting that is the pool's is refused.
#[tokio::test]
async fn a_callers_pool_is_left_as_it_is() {
    let space = Space::new().await;
    let pool = PgPoolOptions::new().max_connections(1).connect(&space.url()).await.unwrap();
    let store = PgStore::from_pool(pool.clone()).connect().await.unwrap();
    let held = claimed(&Postgres::new(&store), "a").await;
    assert!(Postgres::new(&store).settle(&held, &done("x")).await.unwrap().is_yes());
    let prepared: i64 = pool
        .fetch_one("SELECT count(*)::text FROM pg_prepared_statements")
        .await
        .unwrap()
        .get::<String, _>(0)
        .parse()
        .unwrap();
    assert_eq!(prepared, 0);
    store.close().await;
    assert!(!pool.is_closed());
    let error = PgStore::from_pool(pool.clone()).connections(3).connect().await.unwrap_err();
    assert!(error.class() == ErrorClass::Refused && error.to_string().contains("connections"), "{error}");
}

/// CO-20: a pooler is found, whether it refuses startup options or keeps them to itself; nothing is prepared then, and
/// claims through it are as they are without.
#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_is_found_and_worked_through() {
    let server = Arc::new(spawn_blocking(Server::start).await.unwrap());
    migrate(&PgStore::connect(&server.url()).await.unwrap()).await.unwrap();
    for (round, (mode, settings)) in [
        (Mode::Transaction, &[("default_pool_size", "2")] as &[(&str, &str)]),
        (Mode::Transaction, &[("default_pool_size", "2"), ("ignore_startup_parameters", "options")]),
        (Mode::Session, &[("ignore_startup_parameters", "options")]),
    ]
    .into_iter()
    .enumerate()
    {
        let pooler = spawn_blocking({
            let server = server.clone();
            move || PgBouncer::start_with(&server, mode, settings)
        })
        .await
        .unwrap();
        let store = PgStore::builder(&pooler.url()).connections(8).connect().await.unwrap();
        assert!(store.is_pooled(), "{mode:?} {settings:?}");
        let ledger = Postgres::new(&store);
        let mut claims = JoinSet::new();
        for session in 0..8 {
            let ledger = ledger.clone();
            claims.spawn(async move {
                let mut won = 0;
                for n in 0..50 {
                    let attempt = attempt(&key(&format!("{round}-{}", (n + session * 7) % 50)));
                    if let Answer::Granted { fence, .. } = ledger.claim(&attempt).await.unwrap() {
                        assert!(ledger.settle(&holder(&attempt, fence), &done("x")).await.unwrap().is_yes());
                        won += 1;
                    }
                }
                won
            });
        }
        assert_eq!(claims.join_all().await.iter().sum::<i32>(), 50, "each has one winner");
        let mut counts = JoinSet::new();
        for _ in 0..8 {
            let store = store.clone();
            counts.spawn(async move {
                setting(&store, "SELECT count(*)::text FROM pg_prepared_statements WHERE name <> ''").await
            });
        }
        assert!(counts.join_all().await.iter().all(|count| count == "0"));
        store.close().await;
    }
}

/// CO-20: a standby is refused at connect, and unavailable later, until it has been promoted.
#[tokio::test(flavor = "multi_thread")]
async fn a_standby_is_refused_at_connect_and_unavailable_later() {
    let mut server = spawn_blocking(|| Server::start_with(&[("wal_level", "replica")])).await.unwrap();
    let store = PgStore::connect(&server.url()).await.unwrap();
    migrate(&store).await.unwrap();
    let ledger = Postgres::new(&store);
    claimed(&ledger, "a").await;
    let pool = PgPoolOptions::new().max_connections(1).connect(&server.url()).await.unwrap();
    let callers = Postgres::new(&PgStore::from_pool(pool).connect().await.unwrap());
    callers.check().await.unwrap();
    server = spawn_blocking(move || {
        server.shut_down();
        std::fs::write(server.directory().join("data/standby.signal"), "").unwrap();
        server.restart();
        server
    })
    .await
    .unwrap();
    let error = PgStore::connect(&server.url()).await.unwrap_err();
    assert!(error.class() == ErrorClass::Refused && error.to_string().contains("recovery"), "{error}");
    for _ in 0..3 {
        for ledger in [&ledger, &callers] {
            let error = ledger.claim(&attempt(&key("b"))).await.unwrap_err();
            assert_eq!(error.class(), ErrorClass::Unavailable, "{error}");
        }
    }
    server = spawn_blocking(move || {
        assert_eq!(server.psql("SELECT pg_promote()"), "t");
        server
    })
    .await
    .unwrap();
    claimed(&ledger, "b").await;
    claimed(&callers, "c").await;
    drop(server);
}

/// CO-10: what is out of its range is refused at connect, before anything is reached.
#[tokio::test]
async fn settings_out_of_range_are_refused() {
    let builder = || PgStore::builder("postgres://127.0.0.1:1/none");
    let ms = Duration::from_millis;
    for (field, builder) in [
        ("connections", builder().connections(0)),
        ("connections", builder().connections(101)),
        ("request_timeout", builder().request_timeout(ms(49))),
        ("request_timeout", builder().request_timeout(ms(3_600_001))),
        ("lock_timeout", builder().lock_timeout(ms(49))),
        ("lock_timeout", builder().lock_timeout(ms(5_001))),
    ] {
        let error = builder.connect().await.unwrap_err();
        assert!(error.class() == ErrorClass::Refused && error.to_string().contains(field), "{error}");
    }
    for builder in [
        builder().connections(1),
        builder().connections(100),
        builder().request_timeout(ms(50)).lock_timeout(ms(50)),
        builder().request_timeout(ms(3_600_000)).lock_timeout(ms(3_600_000)),
    ] {
        assert_eq!(builder.connect().await.unwrap_err().class(), ErrorClass::Unavailable);
    }
}
