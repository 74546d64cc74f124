use std::slice::from_ref;

use seaworthy_leader::postgres::Postgres;
use seaworthy_leader::store::{Acquired, LeaseStore, Renewal, Tenure};
use seaworthy_store::postgres::PgStore;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, Executor, PgConnection};

use super::support::{LONG, Space, UNLIMITED, WHENEVER, acquire, bid, candidate, guarded, renew, taken};
use crate::dropping::{dropped_after, nothing_is_left};

/// IN-15: each request dropped after k polls, for every k until it ends; then no connection, transaction or lock is left,
/// nothing is done by halves, and whoever asks again gets the right answer.
#[tokio::test]
async fn a_request_can_be_dropped_at_any_await() {
    let space = Space::of_leases().await;
    let mut session = space.session().await;
    let url = format!("{}&application_name={}", space.url(), space.name());
    let pool = PgPoolOptions::new().max_connections(2).connect(&url).await.unwrap();
    for (kind, store) in [
        ("own", PgStore::builder(&url).connections(2).connect().await.unwrap()),
        ("pooled", PgStore::builder(&url).connections(2).pooled().connect().await.unwrap()),
        ("pool", PgStore::from_pool(pool.clone()).connect().await.unwrap()),
    ] {
        let leases = Postgres::new(&store);
        for request in ["acquire", "renew", "release", "read"] {
            let (mut ended, mut most) = (false, 0);
            for polls in 0..100 {
                let mine = bid(&format!("{kind}-{request}-{polls}"));
                let held = async || match acquire(&leases, &mine, LONG).await {
                    Acquired::Granted { epoch, .. } => Tenure { name: mine.name.clone(), epoch, term: mine.term },
                    other => panic!("{} is {other:?}", mine.name),
                };
                ended = match request {
                    "acquire" => {
                        let ended =
                            dropped_after(polls, leases.acquire(&candidate(LONG), from_ref(&mine), WHENEVER)).await;
                        // It is recognised, if it was granted.
                        assert!(held().await.epoch <= 2);
                        ended
                    }
                    "renew" => {
                        let held = held().await;
                        let ended = dropped_after(polls, leases.renew(from_ref(&held), LONG, WHENEVER)).await;
                        // The one that was dropped may have the row still.
                        while renew(&leases, &held, LONG).await == Renewal::Locked {}
                        assert_eq!(renew(&leases, &held, LONG).await, Renewal::Renewed);
                        ended
                    }
                    "release" => {
                        let held = held().await;
                        let ended = dropped_after(polls, leases.release(&held.name, held.term)).await;
                        leases.release(&held.name, held.term).await.unwrap();
                        assert_eq!(taken(&leases, &held.name, LONG).await.epoch, 2);
                        ended
                    }
                    _ => dropped_after(polls, leases.read(from_ref(&mine.name))).await,
                };
                most = most.max(polls);
                if ended {
                    break;
                }
            }
            assert!(ended && most >= 1, "{kind}: {request} was dropped in the middle, and ended after {most} polls");
        }
        nothing_is_left(&mut session, &space, 6).await;
        store.close().await;
    }
    pool.close().await;
    nothing_is_left(&mut session, &space, 0).await;
}

/// IN-15: a guard dropped after k polls: with its connection its transaction goes, and with that the lock.
#[tokio::test]
async fn a_guard_can_be_dropped_at_any_await() {
    let space = Space::of_leases().await;
    let mut session = space.session().await;
    let url = format!("{}&application_name={}", space.url(), space.name());
    let leases = space.leases().await;
    let mut ended = false;
    for polls in 0..100 {
        let held = taken(&leases, "a", LONG).await;
        let mut connection = PgConnection::connect(&url).await.unwrap();
        connection.execute("BEGIN").await.unwrap();
        ended = dropped_after(polls, guarded(&leases, &mut connection, &held, UNLIMITED)).await;
        drop(connection);
        leases.release(&held.name, held.term).await.unwrap();
        assert_eq!(taken(&leases, "a", LONG).await.epoch, held.epoch + 1);
        session.end_leases().await;
        nothing_is_left(&mut session, &space, 0).await;
        if ended {
            break;
        }
    }
    assert!(ended);
}
