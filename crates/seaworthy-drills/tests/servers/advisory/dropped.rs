use std::future::poll_fn;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use seaworthy_leader::Term;
use seaworthy_leader::postgres::PgFence;
use tokio::runtime::Handle;

use super::support::Place;
use crate::space::until;

/// LE-65, IN-15: a campaign that is dropped at any moment leaves no lock, no connection and no task; what was granted
/// just before is given back.
#[tokio::test(flavor = "multi_thread")]
async fn dropped_anywhere() {
    let place = Place::new().await;
    let elector = place.elector();
    // What the test itself needs is there by now.
    drop(elector.campaign("a").await.unwrap());
    elector.close().await;
    place.until_nobody_is_left().await;
    let tasks = Handle::current().metrics().num_alive_tasks();
    let (mut polls, mut led) = (0, 0);
    while led < 3 {
        let mut left = polls;
        let mut campaign = Box::pin(elector.campaign("a"));
        let term = poll_fn(|cx| {
            if left == 0 {
                return Poll::Ready(None);
            }
            left -= 1;
            campaign.as_mut().poll(cx).map(Some)
        });
        let term = term.await;
        drop(campaign);
        led += usize::from(term.is_some_and(|term| term.is_ok()));
        // The lock is free again, without anybody's asking for it.
        place.until_holders(0).await;
        polls += 1;
    }
    println!("LE-65: dropped after up to {polls} polls");
    assert!((5..500).contains(&polls), "{polls}");
    elector.close().await;
    place.until_nobody_is_left().await;
    until("no task is left", async || Handle::current().metrics().num_alive_tasks() <= tasks).await;
    assert!(elector.try_campaign("a").await.unwrap().is_some());
}

/// LE-65: a candidate that waits, and is dropped, closes its connection.
#[tokio::test(flavor = "multi_thread")]
async fn dropped_while_it_waits() {
    let place = Place::new().await;
    let (leader, other) = (place.elector(), place.elector());
    let term = leader.campaign("a").await.unwrap();
    let waited = tokio::time::timeout(Duration::from_millis(500), other.campaign("a")).await;
    assert!(waited.is_err());
    other.close().await;
    assert!(term.is_valid());
    let mut session = place.session().await;
    let sessions = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    until("one session is left", async || session.number(sessions).await == 1).await;
}

/// CO-17: a runtime that shuts down gives everything back, and whoever resigns then waits for nothing; a term may be
/// dropped where there is no runtime at all.
#[test]
fn without_a_runtime() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let observing = runtime();
    let place = observing.block_on(Place::new());
    let kept: Arc<OnceLock<Term<PgFence>>> = Arc::default();
    let working = runtime();
    working.block_on(async {
        let _set = kept.set(place.elector().campaign("a").await.unwrap());
    });
    drop(working);
    observing.block_on(place.until_nobody_is_left());
    let term = Arc::into_inner(kept).and_then(OnceLock::into_inner).unwrap();
    let mut resigning = Box::pin(term.resign());
    let is_over = resigning.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
    assert!(is_over, "nobody is left who could be waited for");
}
