use std::time::{Duration, Instant};

use seaworthy_faults::postgres::Postgres as Server;
use seaworthy_faults::proxy::Proxy;
use seaworthy_leader::ErrorClass;
use tokio::task::spawn_blocking;

use super::support::{Place, quick};

/// LE-66: when a leader's connection is closed, as it is when its process is killed, another leads within a poll and a
/// quarter and a limit.
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_connection_is_followed_soon() {
    let place = Place::new().await;
    let proxy = Proxy::to(Server::shared().addr());
    let (elector, other) = (quick(&place.url_at(proxy.addr())).build().unwrap(), place.elector());
    let bound = other.failover_bound_when_closed();
    let mut took = Vec::new();
    for _ in 0..5 {
        let term = elector.campaign("a").await.unwrap();
        let follower = tokio::spawn({
            let other = other.clone();
            async move {
                let term = other.campaign("a").await.unwrap();
                (term, Instant::now())
            }
        });
        tokio::time::sleep(Duration::from_millis(250)).await;
        assert!(!follower.is_finished());
        let cut = Instant::now();
        proxy.cut();
        let (next, led) = follower.await.unwrap();
        took.push(led.duration_since(cut));
        assert!(next.epoch() > term.epoch());
        next.resign().await;
    }
    println!("LE-66: closed, another led after {took:?}, bound {bound:?}");
    assert!(took.iter().all(|took| *took <= bound), "{took:?}");
}

/// CO-14: a server that is not reached is waited for by campaigns, and an error for who asks once, which has its limit;
/// then there is a leader.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_waited_for() {
    let place = Place::new().await;
    let proxy = Proxy::to(Server::shared().addr());
    let elector = quick(&place.url_at(proxy.addr())).build().unwrap();
    proxy.refuse();
    let began = Instant::now();
    let error = elector.try_campaign("a").await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    assert!(began.elapsed() < Duration::from_millis(500), "a refusal is said at once");
    let before = proxy.connections();
    let waiting = tokio::spawn({
        let elector = elector.clone();
        async move { elector.campaign("a").await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!waiting.is_finished());
    proxy.heal();
    let term = waiting.await.unwrap().unwrap();
    assert!(term.is_valid());
    assert!(proxy.connections() - before <= 3, "one look and one session");
    // A server that hangs costs the limit.
    proxy.stall();
    let began = Instant::now();
    assert!(elector.try_campaign("b").await.unwrap_err().is_unavailable());
    assert!((800..1_200).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
}

/// LE-64: a server that restarts ends all terms at once, and gives new ones when it is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_ends_all_terms() {
    let mut server = spawn_blocking(Server::start).await.unwrap();
    let url = server.url();
    let store = seaworthy_store::postgres::PgStore::connect(&url).await.unwrap();
    seaworthy_leader::postgres::migrate(&store).await.unwrap();
    store.close().await;
    let elector = quick(&url).build().unwrap();
    let terms = [elector.campaign("a").await.unwrap(), elector.campaign("b").await.unwrap()];
    server = spawn_blocking(move || {
        server.kill9();
        server
    })
    .await
    .unwrap();
    for term in &terms {
        tokio::time::timeout(Duration::from_millis(500), term.ended().requested()).await.unwrap();
        assert!(!term.is_valid());
    }
    assert_eq!(elector.try_campaign("a").await.unwrap_err().class(), Some(ErrorClass::Unavailable));
    let waiting = tokio::spawn({
        let elector = elector.clone();
        async move { elector.campaign("a").await }
    });
    server = spawn_blocking(move || {
        server.restart();
        server
    })
    .await
    .unwrap();
    assert!(waiting.await.unwrap().unwrap().epoch() > terms[0].epoch());
    drop(server);
}
