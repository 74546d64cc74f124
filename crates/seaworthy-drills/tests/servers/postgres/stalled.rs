use std::time::{Duration, Instant};

use seaworthy_faults::postgres::Postgres as Server;
use seaworthy_faults::proxy::{Direction, Proxy};
use seaworthy_ledger::ErrorClass;
use seaworthy_ledger::postgres::{Postgres, migrate};
use seaworthy_ledger::store::{Answer, Attempt, LedgerStore};
use seaworthy_store::postgres::PgStore;
use tokio::task::{JoinSet, spawn_blocking};

use super::support::{Space, attempt, claimed, fence, key, until};

const LIMIT: Duration = Duration::from_millis(400);

/// A ledger behind a proxy, with a limit of 400 ms.
async fn behind_a_proxy(space: &Space) -> (Proxy, Postgres) {
    let url = space.url();
    let server = url.split_once('@').and_then(|(_, rest)| rest.split_once('/')).unwrap().0.to_owned();
    let proxy = Proxy::to(&*server);
    let url = url.replace(&server, &proxy.addr().to_string());
    let store = PgStore::builder(&url).request_timeout(LIMIT).lock_timeout(LIMIT / 2).connect().await.unwrap();
    (proxy, Postgres::new(&store))
}

/// CO-13: while the server answers nothing each call ends at its limit, later ones too, however many; afterwards the next
/// call is served, and whoever asked before gets what it asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_costs_each_call_its_limit_and_no_more() {
    let space = Space::new().await;
    let (proxy, ledger) = behind_a_proxy(&space).await;
    ledger.check().await.unwrap();
    proxy.stall();
    let attempts: Vec<_> = (0..12).map(|n| attempt(&key(&n.to_string()))).collect();
    for _ in 0..2 {
        let mut calls = JoinSet::new();
        for attempt in attempts.clone() {
            let ledger = ledger.clone();
            calls.spawn(async move {
                let began = Instant::now();
                (ledger.claim(&attempt).await, began.elapsed())
            });
        }
        for (answer, took) in calls.join_all().await {
            let error = answer.unwrap_err();
            assert_eq!(error.class(), ErrorClass::Unavailable);
            assert!(error.to_string().contains("no answer within 400ms"), "{error}");
            assert!(took >= LIMIT && took < LIMIT * 2, "{took:?}");
        }
    }
    proxy.heal();
    let began = Instant::now();
    for attempt in &attempts {
        // Some of the statements that were given up are carried out now. Their owners are recognised.
        let granted = fence(&ledger.claim(attempt).await.unwrap());
        assert!(granted <= 3, "{granted}");
    }
    assert!(began.elapsed() < LIMIT * 2, "no call waits for what was before it: {:?}", began.elapsed());
    drop(proxy);
    let mut session = space.session().await;
    let name = format!(
        "SELECT count(*) FROM pg_locks JOIN pg_class ON pg_class.oid = relation
        WHERE relnamespace = '{}'::regnamespace AND pid <> pg_backend_pid()",
        space.name()
    );
    until("no lock is left", async || session.number(&name).await == 0).await;
}

/// CO-13: an answer that is lost after the server has done what it was asked is unknown to the caller, and its next call
/// gets the claim.
#[tokio::test]
async fn a_lost_answer_is_unknown() {
    let space = Space::new().await;
    let (proxy, ledger) = behind_a_proxy(&space).await;
    claimed(&ledger, "first").await;
    let asked = attempt(&key("a"));
    // The statement is prepared already; all that comes down is its answer.
    proxy.drop_next(Direction::Down, 1);
    let error = ledger.claim(&asked).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Unavailable);
    let mut session = space.session().await;
    assert_eq!(session.number("SELECT count(*) FROM seaworthy_ledger WHERE key = 'a'").await, 1, "it was done");
    proxy.heal();
    let other = ledger.claim(&attempt(&asked.key)).await.unwrap();
    assert!(matches!(other, Answer::Busy { .. }), "{other:?}");
    let again = Attempt { owner: asked.owner.wrapping_add(1), ..asked };
    assert_eq!(ledger.claim(&again).await.unwrap(), Answer::Granted { fence: 2, grants: 1 });
}

/// CO-14: connections that are cut cost one call, and not one for each connection.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_cut_one_call_fails() {
    let space = Space::new().await;
    let (proxy, ledger) = behind_a_proxy(&space).await;
    let mut calls = JoinSet::new();
    for n in 0..4 {
        let ledger = ledger.clone();
        calls.spawn(async move { claimed(&ledger, &n.to_string()).await });
    }
    calls.join_all().await;
    proxy.cut();
    let error = ledger.claim(&attempt(&key("a"))).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Unavailable, "{error}");
    claimed(&ledger, "a").await;
    // One that nobody used for a while is looked at first, so that its end costs nobody anything.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    proxy.cut();
    claimed(&ledger, "b").await;
    // Refused is said at once.
    proxy.refuse();
    proxy.cut();
    assert!(ledger.claim(&attempt(&key("c"))).await.unwrap_err().is_unavailable());
    let began = Instant::now();
    assert!(ledger.claim(&attempt(&key("c"))).await.unwrap_err().is_unavailable());
    assert!(began.elapsed() < LIMIT / 2, "{:?}", began.elapsed());
    proxy.heal();
    claimed(&ledger, "c").await;
}

/// CO-14: a server that is killed is unavailable, and there again as soon as it is; what was recorded is there, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_comes_back() {
    let mut server = spawn_blocking(Server::start).await.unwrap();
    let store = PgStore::connect(&server.url()).await.unwrap();
    migrate(&store).await.unwrap();
    let ledger = Postgres::new(&store);
    let held = claimed(&ledger, "a").await;
    server = spawn_blocking(move || {
        server.kill9();
        server
    })
    .await
    .unwrap();
    for _ in 0..3 {
        let began = Instant::now();
        assert!(ledger.claim(&attempt(&key("b"))).await.unwrap_err().is_unavailable());
        assert!(began.elapsed() < Duration::from_secs(1), "a refusal is said at once");
    }
    server = spawn_blocking(move || {
        server.restart();
        server
    })
    .await
    .unwrap();
    assert_eq!(ledger.lookup(&held.key).await.unwrap().unwrap().fence, 1);
    claimed(&ledger, "b").await;
    // Ended in order, the connections are told so: 57P01.
    server = spawn_blocking(move || {
        server.restart();
        server
    })
    .await
    .unwrap();
    let first = ledger.claim(&attempt(&key("c"))).await;
    assert!(first.is_ok() || first.is_err_and(|error| error.is_unavailable()));
    claimed(&ledger, "d").await;
    drop(server);
}
