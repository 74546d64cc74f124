use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use seaworthy_leader::postgres::PgAdvisory;

use super::support::{LIMIT, PING, Place, quick};

/// LE-64: a session that the server ends is noticed at once, and not only by the next ping: the term is lost, and its
/// work told.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_is_noticed_at_once() {
    let place = Place::new().await;
    // At defaults, with pings two seconds apart.
    let elector = PgAdvisory::builder(&place.url()).build().unwrap();
    let mut latest = Duration::ZERO;
    for _ in 0..5 {
        let term = elector.campaign("a").await.unwrap();
        assert!(term.is_valid());
        // Not in the middle of what follows an acquisition.
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!term.ended().is_requested());
        assert_eq!(place.terminate_holders().await, 1);
        let terminated = Instant::now();
        term.ended().requested().await;
        latest = latest.max(terminated.elapsed());
        assert!(!term.is_valid());
    }
    println!("LE-64: noticed after {latest:?} at most");
    assert!(latest < Duration::from_millis(900), "{latest:?}");
}

/// IN-16: with advisory locks two may lead until the first notices that its session is over: printed, and never longer
/// than a ping and its limit.
#[tokio::test(flavor = "multi_thread")]
async fn overlaps_are_short() {
    let place = Place::new().await;
    let terms = Arc::new(Mutex::new(Vec::new()));
    let mut leaders = Vec::new();
    for _ in 0..3 {
        let elector = quick(&place.url()).build().unwrap();
        let terms = Arc::clone(&terms);
        leaders.push(tokio::spawn(async move {
            loop {
                let term = elector.campaign("a").await.unwrap();
                let began = Instant::now();
                term.ended().requested().await;
                terms.lock().unwrap().push((term.epoch(), began, Instant::now()));
                drop(term);
            }
        }));
    }
    let mut ended = 0;
    let until = Instant::now() + Duration::from_secs(60);
    while ended < 100 {
        ended += place.terminate_holders().await;
        assert!(Instant::now() < until, "{ended}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for leader in leaders {
        leader.abort();
        let _aborted = leader.await;
    }
    place.until_nobody_is_left().await;
    let mut terms = std::mem::take(&mut *terms.lock().unwrap());
    terms.sort_unstable();
    // Some sessions were ended before their epoch was raised.
    assert!(terms.len() >= 50, "{}", terms.len());
    let overlap = |pair: &[(_, Instant, Instant)]| pair[0].2.saturating_duration_since(pair[1].1);
    let overlaps: Vec<_> = terms.windows(2).map(overlap).filter(|overlap| !overlap.is_zero()).collect();
    let longest = overlaps.iter().max().copied().unwrap_or_default();
    println!("IN-16: {} of {} terms overlapped, for {longest:?} at most", overlaps.len(), terms.len());
    assert!(longest <= PING + LIMIT, "{longest:?}");
    assert!(terms.windows(2).all(|pair| pair[0].0 < pair[1].0), "no epoch twice");
}
