use std::time::{Duration, Instant};

use seaworthy::{BoxError, Shutdown};
use seaworthy_faults::postgres::Postgres as Server;
use seaworthy_faults::proxy::Proxy;
use seaworthy_leader::postgres::PgFence;
use seaworthy_leader::{ErrorClass, LeaderGuard, Term};
use seaworthy_store::TableNames;
use seaworthy_store::postgres::{Read, SessionLimits, Sessions, Statement};
use tokio::sync::oneshot;

use super::support::{LIMIT, MARGIN, PING, Place, SESSION_TIMEOUT, STOP_TIME, Told, quick};

/// LE-61, LE-66: a leader that is cut off, so that nobody even sees its connection close, is ended by the server:
/// another leads within the bound, and not before the old one has been told, and its term was over.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_leader_is_ended_by_the_server() {
    let place = Place::new().await;
    let proxy = Proxy::to(Server::shared().addr());
    let told = Told::default();
    let elector = quick(&place.url_at(proxy.addr())).observer(told.clone()).build().unwrap();
    let other = place.elector();
    let bound = other.failover_bound();
    let term = elector.campaign("a").await.unwrap();
    let follower = tokio::spawn(async move {
        let term = other.campaign("a").await.unwrap();
        (term, Instant::now())
    });
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let stalled = Instant::now();
    proxy.stall();
    term.ended().requested().await;
    let told_after = stalled.elapsed();
    assert!(term.is_valid(), "it has its stop time");
    while term.is_valid() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let over_after = stalled.elapsed();
    assert!(!follower.is_finished(), "nobody leads before that");
    let (next, led) = follower.await.unwrap();
    let led_after = led.duration_since(stalled);
    println!("LE-61: cut off, told after {told_after:?}, over after {over_after:?}, another led after {led_after:?}");
    assert!(told_after <= SESSION_TIMEOUT - MARGIN - STOP_TIME + Duration::from_millis(200), "{told_after:?}");
    assert!(over_after <= SESSION_TIMEOUT - MARGIN + Duration::from_millis(200), "{over_after:?}");
    assert!(led_after <= bound, "{led_after:?} and not {bound:?}");
    assert!(next.epoch() > term.epoch());
    // Who resigns then does not wait for a server that does not answer.
    let began = Instant::now();
    term.resign().await;
    assert!(began.elapsed() < LIMIT + Duration::from_millis(300), "{:?}", began.elapsed());
    let all = told.all();
    let failed = all.iter().position(|event| event == "renew_failed class=unavailable").unwrap();
    assert_eq!(all[failed + 1..], ["told epoch=1 why=deadline", "expired epoch=1"], "{all:?}");
    assert!(all.contains(&"store_down asked=ping class=unavailable".to_owned()), "{all:?}");
    assert!(next.is_valid());
    drop(proxy);
    elector.close().await;
}

/// LE-64: a session that the server ends while its end cannot be heard of: two lead until the old one's own time is
/// over, and it is told before that.
#[tokio::test(flavor = "multi_thread")]
async fn ended_and_cut_off() {
    let place = Place::new().await;
    let proxy = Proxy::to(Server::shared().addr());
    let elector = quick(&place.url_at(proxy.addr())).build().unwrap();
    let term = elector.campaign("a").await.unwrap();
    let granted = Instant::now();
    proxy.stall();
    assert_eq!(place.terminate_holders().await, 1);
    let next = place.elector().campaign("a").await.unwrap();
    let led = Instant::now();
    assert!(term.is_valid() && next.epoch() > term.epoch());
    term.ended().requested().await;
    let told_after = granted.elapsed();
    while term.is_valid() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let both = led.elapsed();
    println!("LE-64: cut off and ended, told after {told_after:?}, and two led for {both:?}");
    assert!(both > PING + LIMIT, "longer than where the end is heard of: {both:?}");
    assert!(told_after <= SESSION_TIMEOUT - MARGIN - STOP_TIME + Duration::from_millis(200), "{told_after:?}");
    assert!(granted.elapsed() <= SESSION_TIMEOUT - MARGIN + Duration::from_millis(200), "{:?}", granted.elapsed());
}

/// LE-64, LE-05: a server that does not answer for a moment costs nothing: the ping that it answers late counts from
/// when it was sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_counts() {
    let place = Place::new().await;
    let proxy = Proxy::to(Server::shared().addr());
    let elector = quick(&place.url_at(proxy.addr())).build().unwrap();
    let term = elector.campaign("a").await.unwrap();
    for _ in 0..3 {
        proxy.stall();
        tokio::time::sleep(LIMIT + Duration::from_millis(300)).await;
        proxy.heal();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(term.is_valid() && !term.ended().is_requested());
    }
    place.until_holders(1).await;
}

/// CO-16: who resigns while a ping is on its way waits for its answer, so that the row is told; if it hangs, for a
/// limit, and the connection's end is all that is left to tell.
#[tokio::test(flavor = "multi_thread")]
async fn resigned_while_a_ping_hangs() {
    let place = Place::new().await;
    let proxy = Proxy::to(Server::shared().addr());
    let told = Told::default();
    let elector = quick(&place.url_at(proxy.addr())).observer(told.clone()).build().unwrap();
    let term = elector.campaign("a").await.unwrap();
    proxy.delay(Duration::from_millis(60));
    // In the middle of one.
    tokio::time::sleep(PING + Duration::from_millis(100)).await;
    term.resign().await;
    assert_eq!(place.session().await.number("SELECT count(*) FROM seaworthy_lease WHERE holder = ''").await, 1);
    place.until_holders(0).await;
    proxy.heal();

    let term = elector.campaign("a").await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    proxy.stall();
    tokio::time::sleep(PING).await;
    let began = Instant::now();
    term.resign().await;
    let took = began.elapsed();
    assert!(took >= LIMIT - Duration::from_millis(50) && took < LIMIT + Duration::from_millis(300), "{took:?}");
    proxy.heal();
    place.until_holders(0).await;
    let all = told.all();
    let released: Vec<_> = all.iter().filter(|event| event.starts_with("released")).collect();
    assert_eq!(released, ["released epoch=1 end=released", "released epoch=2 end=released"]);
    assert!(!all.iter().any(|event| event.starts_with("told")), "{all:?}");
    elector.close().await;
}

/// LE-61: a session is opened with what the server ends it by, and it does, whoever is silent: without a term, and
/// without a follower, too.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_opened_with_their_timeouts() {
    let place = Place::new().await;
    let limits = SessionLimits { statement: LIMIT, lock: LIMIT / 2, silence: SESSION_TIMEOUT };
    let sessions = Sessions::new(&place.url(), limits, "something else").unwrap();
    let mut session = sessions.open(ErrorClass::Refused).await.unwrap();
    let names = TableNames::default();
    let settings = "SELECT concat_ws(' ', current_setting('idle_session_timeout'), current_setting('tcp_user_timeout'),
        current_setting('tcp_keepalives_idle'), current_setting('tcp_keepalives_interval'),
        current_setting('tcp_keepalives_count'), current_setting('statement_timeout'), current_setting('lock_timeout'),
        current_setting('default_transaction_isolation')) AS all";
    let rows = session.rows("look", &Statement::new(&names, settings), |_| Ok(())).await.unwrap();
    let all: String = Read::first("look", &rows).unwrap().get("all").unwrap();
    assert_eq!(all, "3s 3000 1 1 2 900ms 450ms read committed");
    let silent = Instant::now();
    session.ended().await;
    println!("LE-61: silent, and ended after {:?}", silent.elapsed());
    assert!(silent.elapsed() >= SESSION_TIMEOUT - Duration::from_millis(50) && session.is_broken());
    assert!(silent.elapsed() < SESSION_TIMEOUT + Duration::from_millis(900), "{:?}", silent.elapsed());
    let error = session.rows("look", &Statement::new(&names, settings), |_| Ok(())).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Refused, "it opens no other: {error}");
    place.until_nobody_is_left().await;
}

/// LE-34: while a guard's work winds down its session is asked all the while, so that the work keeps the lead for
/// longer than a session timeout; then the name is free.
#[tokio::test(flavor = "multi_thread")]
async fn winding_down_keeps_the_lead() {
    let place = Place::new().await;
    let (elector, other) = (place.elector(), place.elector());
    let (result, outcome) = oneshot::channel();
    let mut result = Some(result);
    let guard = LeaderGuard::new(elector.clone(), "a", move |term: Term<PgFence>| {
        let result = result.take();
        async move {
            term.ended().requested().await;
            tokio::time::sleep(SESSION_TIMEOUT + Duration::from_millis(500)).await;
            let _gone = result.map(|result| result.send(term.is_valid()));
            Ok::<(), BoxError>(())
        }
    });
    let (watch, (trigger, shutdown)) = (guard.watch(), Shutdown::new());
    let guard = tokio::spawn(guard.run(shutdown));
    while watch.epoch().is_none() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    trigger.fire();
    tokio::time::sleep(SESSION_TIMEOUT).await;
    assert!(other.try_campaign("a").await.unwrap().is_none());
    assert!(outcome.await.unwrap());
    assert!(guard.await.unwrap().is_ok());
    assert!(other.try_campaign("a").await.unwrap().is_some());
    elector.close().await;
}
