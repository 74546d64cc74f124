use std::time::Duration;

use crate::space::until;

use super::support::{Place, quick};

/// `singleton:cron`, as every other program that does the same has it.
const CRON: &str = "SELECT pg_try_advisory_lock(3338307566072877476)::int";
const UNLOCK: &str = "SELECT pg_advisory_unlock(3338307566072877476)::int";

/// LE-60: a session of somebody else's that has the number keeps ours out, and ours keeps it out; nobody's row is
/// touched by that.
#[tokio::test(flavor = "multi_thread")]
async fn other_programs_are_excluded() {
    let place = Place::new().await;
    let (elector, mut other) = (place.elector(), place.session().await);
    assert_eq!(other.number(CRON).await, 1);
    assert!(elector.try_campaign("singleton:cron").await.unwrap().is_none());
    assert!(elector.try_campaign("singleton:gc").await.unwrap().is_some(), "another name is another number");
    assert_eq!(elector.leader("singleton:cron").await.unwrap(), None, "they keep no row");
    let waiting = tokio::spawn({
        let elector = elector.clone();
        async move { elector.campaign("singleton:cron").await }
    });
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(!waiting.is_finished());
    assert_eq!(other.number(UNLOCK).await, 1);

    let term = waiting.await.unwrap().unwrap();
    assert_eq!(other.number(CRON).await, 0);
    assert!(term.is_valid());
    term.resign().await;
    until("the lock is free", async || other.number(CRON).await == 1).await;
}

/// LE-60: the first to ask does not ask again for longer than a request may take, so that a lock of somebody who keeps
/// no row is no outage, however short that is.
#[tokio::test(flavor = "multi_thread")]
async fn a_short_limit_is_kept() {
    let place = Place::new().await;
    let elector = quick(&place.url()).request_timeout(Duration::from_millis(150)).build().unwrap();
    let mut other = place.session().await;
    assert_eq!(other.number(CRON).await, 1);
    for _ in 0..3 {
        assert!(elector.try_campaign("singleton:cron").await.unwrap().is_none());
    }
}

/// LE-60: each name has a connection of its own, which is closed when its term is over, and the session's end is what
/// gives the lock back. LE-09: nobody has it twice, in the same process either.
#[tokio::test(flavor = "multi_thread")]
async fn each_name_has_a_connection() {
    let place = Place::new().await;
    let elector = place.elector();
    let (a, b) = (elector.campaign("a").await.unwrap(), elector.campaign("b").await.unwrap());
    place.until_holders(2).await;
    assert_eq!(elector.held(), 2);
    assert!(elector.try_campaign("a").await.unwrap().is_none());
    assert!(elector.clone().try_campaign("b").await.unwrap().is_none());
    drop(a);
    place.until_holders(1).await;
    assert!(b.is_valid());
    b.resign().await;
    elector.close().await;
    assert_eq!(elector.held(), 0);
    place.until_nobody_is_left().await;
}
