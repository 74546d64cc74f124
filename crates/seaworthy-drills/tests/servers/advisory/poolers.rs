use std::sync::Arc;
use std::time::Duration;

use seaworthy::{BoxError, Shutdown};
use seaworthy_faults::pgbouncer::{Mode, PgBouncer};
use seaworthy_faults::postgres::Postgres as Server;
use seaworthy_leader::postgres::{PgAdvisory, PgFence, migrate};
use seaworthy_leader::{ElectionError, ErrorClass, GuardError, LeaderGuard, Term};
use seaworthy_store::postgres::PgStore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::support::{Place, quick};

fn refused(error: &ElectionError, why: &str) {
    assert!(error.class() == Some(ErrorClass::Refused) && error.to_string().contains(why), "{error}");
}

/// LE-62, IN-13: a pooler is refused, and what to use in its place is said, in transaction and in session mode, whether
/// it refuses startup options or keeps them to itself; no lock is taken through it.
#[tokio::test(flavor = "multi_thread")]
async fn poolers_are_refused() {
    let server = Arc::new(spawn_blocking(Server::start).await.unwrap());
    migrate(&PgStore::connect(&server.url()).await.unwrap()).await.unwrap();
    let mut found = 0;
    for mode in [Mode::Transaction, Mode::Session] {
        for settings in [&[] as &[(&str, &str)], &[("ignore_startup_parameters", "options")]] {
            let pooler = spawn_blocking({
                let server = server.clone();
                move || PgBouncer::start_with(&server, mode, settings)
            })
            .await
            .unwrap();
            let elector = quick(&pooler.url()).build().unwrap();
            for error in [
                elector.campaign("a").await.unwrap_err(),
                elector.try_campaign("a").await.unwrap_err(),
                elector.leader("a").await.unwrap_err(),
            ] {
                refused(&error, "a pooler is in front");
                refused(&error, "elect by leases");
            }
            found += 1;
        }
    }
    println!("LE-62: {found} of 4 refused");
    let direct = quick(&server.url()).build().unwrap();
    assert!(direct.try_campaign("a").await.unwrap().is_some(), "nobody has the lock");
}

/// CO-18, LE-35: without its table it is refused, at the first contact, and what to call is said; that is a guard's
/// failure.
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_table_is_refused() {
    let place = Place::empty().await;
    for elector in [place.elector(), quick(&place.url()).schema("nowhere").prefix("other_").build().unwrap()] {
        for error in [
            elector.campaign("a").await.unwrap_err(),
            elector.try_campaign("a").await.unwrap_err(),
            elector.leader("a").await.unwrap_err(),
        ] {
            refused(&error, "seaworthy_leader::postgres::migrate");
        }
        // Although it has connected by then.
        let guard = LeaderGuard::new(elector.clone(), "a", |_: Term<PgFence>| async { Ok::<(), BoxError>(()) });
        let ended = timeout(Duration::from_secs(5), guard.run(Shutdown::new().1)).await;
        assert!(matches!(ended.expect("it looks like a follower"), Err(GuardError::Election(_))));
        elector.close().await;
    }
    place.until_nobody_is_left().await;
    let store = PgStore::builder(&place.url()).schema("nowhere").prefix("other_").connect().await.unwrap();
    migrate(&store).await.unwrap();
    store.close().await;
    let elector = quick(&place.url()).schema("nowhere").prefix("other_").build().unwrap();
    assert!(elector.try_campaign("a").await.unwrap().is_some());
}

/// CO-20: a standby is refused at the first contact, and unavailable later, because a failover may be under way.
#[tokio::test(flavor = "multi_thread")]
async fn a_standby_is_refused_at_first() {
    let mut server = spawn_blocking(|| Server::start_with(&[("wal_level", "replica")])).await.unwrap();
    let url = server.url();
    migrate(&PgStore::connect(&url).await.unwrap()).await.unwrap();
    let elector = quick(&url).build().unwrap();
    drop(elector.try_campaign("a").await.unwrap());
    elector.close().await;
    server = spawn_blocking(move || {
        server.shut_down();
        std::fs::write(server.directory().join("data/standby.signal"), "").unwrap();
        server.restart();
        server
    })
    .await
    .unwrap();
    refused(&quick(&url).build().unwrap().campaign("a").await.unwrap_err(), "recovery");
    let error = elector.try_campaign("a").await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    let waiting = tokio::spawn(async move { elector.campaign("a").await });
    server = spawn_blocking(move || {
        assert_eq!(server.psql("SELECT pg_promote()"), "t");
        server
    })
    .await
    .unwrap();
    assert!(waiting.await.unwrap().is_ok());
    drop(server);
}

/// CO-24: a URL that is not understood is refused by `build`, and its password is shown nowhere.
#[tokio::test]
async fn passwords_are_not_shown() {
    let error = PgAdvisory::builder("postgres://app:s3cret@[").build().unwrap_err();
    assert_eq!(error.field(), "url");
    assert!(!format!("{error} {error:?}").contains("s3cret"));
    let builder = PgAdvisory::builder("postgres://app:s3cret@127.0.0.1:1/app");
    let elector = builder.clone().build().unwrap();
    let error = elector.try_campaign("a").await.unwrap_err();
    let shown = format!("{builder:?} {elector:?} {error} {error:?} {error:#?}");
    assert!(!shown.contains("s3cret"), "{shown}");
}
