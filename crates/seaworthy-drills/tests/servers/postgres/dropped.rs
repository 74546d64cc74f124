use std::time::Duration;

use bytes::Bytes;
use seaworthy_ledger::postgres::{Postgres, migrate};
use seaworthy_ledger::store::{Answer, Attempt, Holder, LedgerStore};
use seaworthy_store::postgres::PgStore;
use sqlx::postgres::PgPoolOptions;

use super::support::{LEASE, Space, attempt, done, holder, key};
use crate::dropping::{dropped_after, nothing_is_left};

/// IN-15: each request dropped after k polls, for every k until it ends; then no connection, transaction or lock is
/// left, nothing is done by halves, and the next call is served.
#[tokio::test]
async fn a_request_can_be_dropped_at_any_await() {
    let space = Space::new().await;
    let mut session = space.session().await;
    let url = format!("{}&application_name={}", space.url(), space.name());
    let pool = PgPoolOptions::new().max_connections(2).connect(&url).await.unwrap();
    for (kind, store) in [
        ("own", PgStore::builder(&url).connections(2).connect().await.unwrap()),
        ("pooled", PgStore::builder(&url).connections(2).pooled().connect().await.unwrap()),
        ("pool", PgStore::from_pool(pool.clone()).connect().await.unwrap()),
    ] {
        let ledger = Postgres::new(&store);
        let mut most = 0;
        for request in ["claim", "renew", "settle", "lookup", "sweep", "step", "keep_step"] {
            let mut ended = false;
            for polls in 0..100 {
                let name = format!("{kind}-{request}-{polls}");
                let asked = attempt(&key(&name));
                let held = if request == "claim" {
                    None
                } else {
                    let Answer::Granted { fence, .. } = ledger.claim(&asked).await.unwrap() else { panic!("{name}") };
                    Some(holder(&asked, fence))
                };
                ended = ask(polls, &ledger, request, &asked, held.as_ref()).await;
                // Whatever became of it, the same asked again gets it.
                check(&ledger, request, &asked, held.as_ref()).await;
                most = most.max(polls);
                if ended {
                    break;
                }
            }
            assert!(ended, "{kind}: {request} never ended");
        }
        assert!(most >= 2, "{kind}: it was dropped in the middle");
        let seen = format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}'", space.name());
        assert!(session.number(&seen).await >= 1, "{kind}: the count sees its connections");
        nothing_is_left(&mut session, &space, 6).await;
        store.close().await;
    }
    pool.close().await;
    nothing_is_left(&mut session, &space, 0).await;
}

async fn ask(polls: usize, ledger: &Postgres, request: &str, asked: &Attempt, held: Option<&Holder>) -> bool {
    let one = Bytes::from_static(b"1");
    let Some(held) = held else { return dropped_after(polls, ledger.claim(asked)).await };
    match request {
        "renew" => dropped_after(polls, ledger.renew(&[(held.clone(), LEASE)])).await,
        "settle" => dropped_after(polls, ledger.settle(held, &done("x"))).await,
        "lookup" => dropped_after(polls, ledger.lookup(&held.key)).await,
        "sweep" => dropped_after(polls, ledger.sweep(10)).await,
        "step" => dropped_after(polls, ledger.step(&held.key, "s")).await,
        _ => dropped_after(polls, ledger.keep_step(held, "s", &one)).await,
    }
}

async fn check(ledger: &Postgres, request: &str, asked: &Attempt, held: Option<&Holder>) {
    let Some(held) = held else {
        // If the dropped one was granted, its owner is recognised.
        let again = Attempt { owner: asked.owner.wrapping_add(1), ..asked.clone() };
        let answer = ledger.claim(&again).await.unwrap();
        assert!(matches!(answer, Answer::Granted { grants: 1, fence: 1..=2 }), "{answer:?}");
        return;
    };
    let settled = ledger.settle(held, &done("x")).await.unwrap();
    assert!(settled.is_yes(), "{request}");
    let Answer::Done(record) = ledger.claim(asked).await.unwrap() else { panic!("{request}") };
    assert_eq!(record.fence, 1, "{request}");
}

/// IN-15: `migrate` dropped after k polls leaves nothing or all.
#[tokio::test]
async fn a_migration_can_be_dropped_at_any_await() {
    let space = Space::empty().await;
    let mut session = space.session().await;
    let url = format!("{}&application_name={}", space.url(), space.name());
    let store = PgStore::builder(&url).connections(1).connect().await.unwrap();
    let tables = format!(
        "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = '{}'::regnamespace",
        space.name()
    );
    let mut ended = false;
    for polls in 0..100 {
        ended = dropped_after(polls, migrate(&store)).await;
        nothing_is_left(&mut session, &space, 1).await;
        let there = session.number(&tables).await;
        assert!([0, 3].contains(&there), "after {polls} polls there are {there}");
        if ended {
            assert_eq!(there, 3);
            break;
        }
    }
    assert!(ended);
}

/// IN-15: a caller who gives up waiting for a connection takes none with it.
#[tokio::test]
async fn who_waits_for_a_connection_can_be_dropped() {
    let space = Space::new().await;
    let store = space.builder().connections(1).connect().await.unwrap();
    let ledger = Postgres::new(&store);
    ledger.check().await.unwrap();
    let mut gave_up = 0;
    for _ in 0..50 {
        let (one, two) = (attempt(&key("one")), attempt(&key("two")));
        let first = ledger.claim(&one);
        let second = dropped_after(1, ledger.claim(&two));
        let (first, ended) = tokio::join!(first, second);
        first.unwrap();
        gave_up += usize::from(!ended);
    }
    // As many as had to wait, which differs from run to run.
    assert!(gave_up >= 5, "{gave_up} of 50 gave up");
    tokio::time::timeout(Duration::from_secs(1), ledger.lookup(&key("one"))).await.unwrap().unwrap();
}
