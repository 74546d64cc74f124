use seaworthy_store::time::{now, sleep};
use std::time::Duration;

use tokio::time::advance;

use super::{LEASE, key, ledger, mine, settle_down, state};
use crate::doubles::Fault;

/// LG-22: a claim that is held is renewed every third of its lease, for as long as it is held; one that is not is not.
#[tokio::test(start_paused = true)]
async fn lg_22_renewed() {
    let (ledger, store) = ledger();
    let (mut held, mut left) = (mine(&ledger, &key("held")).await, mine(&ledger, &key("left")).await);
    left.begin();
    let lost = held.hold();
    store.take_calls();
    sleep(LEASE * 10).await;
    assert!(!lost.is_requested());
    let renewals = store.take_calls();
    assert!((29..=30).contains(&renewals.len()), "{renewals:?}");
    assert!(held.complete("x").await.unwrap().is_yes());
    store.take_calls();
    sleep(LEASE * 10).await;
    assert!(store.take_calls().is_empty());
    assert_eq!(ledger.held(), 1);
    drop(left);
}

/// LG-22: all claims of a ledger are renewed in one request.
#[tokio::test(start_paused = true)]
async fn lg_22_together() {
    let (ledger, store) = ledger();
    let mut claims = Vec::new();
    for n in 0..501 {
        let mut claim = mine(&ledger, &key(&n.to_string())).await;
        claim.hold();
        claims.push(claim);
        advance(Duration::from_millis(1)).await;
    }
    store.take_calls();
    sleep(LEASE).await;
    let renewals = store.take_calls().len();
    // Of 500 at most each.
    assert!((4..=7).contains(&renewals), "{renewals}");
    assert!(claims.iter().all(|claim| !claim.lost().unwrap().is_requested()));
    drop(claims);
    ledger.close().await;
}

/// LG-22, LG-23: a renewal that fails is tried again every second; at the local end, 56 s after the last good renewal was
/// sent, the work is told. Not before.
#[tokio::test(start_paused = true)]
async fn lg_23_local_end() {
    for fault in [Fault::Down, Fault::Hangs, Fault::Locked] {
        let (ledger, store) = ledger();
        let mut claim = mine(&ledger, &key("a")).await;
        let lost = claim.hold();
        sleep(Duration::from_secs(20) + Duration::from_millis(5)).await;
        store.take_calls();
        store.set(fault);
        let good = now() - Duration::from_millis(5);
        let told = tokio::spawn(async move {
            lost.requested().await;
            now()
        });
        sleep(Duration::from_secs(55)).await;
        assert!(!told.is_finished(), "{fault:?}");
        let told = told.await.unwrap() - good;
        assert!(told >= Duration::from_secs(56) && told < Duration::from_millis(56_010), "{fault:?}: {told:?}");
        let asked = store.take_calls().len();
        assert!((6..=40).contains(&asked), "{fault:?}: {asked}");
        assert!(claim.lost().unwrap().is_requested());
    }
}

/// LG-22: a store that is back before the local end has lost nothing.
#[tokio::test(start_paused = true)]
async fn lg_22_back_in_time() {
    let (ledger, store) = ledger();
    let mut claim = mine(&ledger, &key("a")).await;
    let lost = claim.hold();
    store.set(Fault::Down);
    sleep(Duration::from_secs(54)).await;
    store.set(Fault::None);
    sleep(LEASE * 3).await;
    assert!(!lost.is_requested());
    assert!(claim.complete("x").await.unwrap().is_yes());
}

/// LG-23: what the store says is lost is told at once.
#[tokio::test(start_paused = true)]
async fn lg_23_said_to_be_lost() {
    let (ledger, store) = ledger();
    let other = seaworthy_ledger::Ledger::with_store("other", store.clone()).build().unwrap();
    let mut claim = mine(&ledger, &key("a")).await;
    let lost = claim.hold();
    let ranked = seaworthy_ledger::ClaimRequest::new(key("a")).rank(1);
    let seaworthy_ledger::Claimed::Mine(new) = other.claim(ranked).await.unwrap() else { panic!("not granted") };
    sleep(Duration::from_secs(21)).await;
    assert!(lost.is_requested());
    assert!(!claim.renew().await.unwrap().is_yes());
    assert!(!claim.fail("x").await.unwrap().is_yes());
    assert!(new.complete("y").await.unwrap().is_yes());
}

/// LG-22: leases of other lengths have their own pace, and a shorter one that comes later does not wait for the others.
#[tokio::test(start_paused = true)]
async fn lg_22_each_its_own_pace() {
    let (ledger, store) = ledger();
    let mut long = mine(&ledger, &key("long")).await;
    long.hold();
    settle_down().await;
    let request = seaworthy_ledger::ClaimRequest::new(key("short")).lease(Duration::from_secs(16));
    let seaworthy_ledger::Claimed::Mine(mut short) = ledger.claim(request).await.unwrap() else {
        panic!("not granted")
    };
    let lost = short.hold();
    store.take_calls();
    sleep(Duration::from_secs(48)).await;
    assert!(!lost.is_requested() && !long.lost().unwrap().is_requested());
    let renewals = store.take_calls().len();
    assert!((8..=12).contains(&renewals), "{renewals}");
}

/// LG-24: on a runtime with one thread the observer is warned, once.
#[tokio::test(start_paused = true)]
async fn lg_24_one_thread() {
    let (told, observer) = super::events::recorder();
    let ledger = seaworthy_ledger::Ledger::memory("tests").observer(observer).build().unwrap();
    for name in ["a", "b"] {
        mine(&ledger, &key(name)).await.hold();
    }
    assert_eq!(told.kinds().iter().filter(|kind| **kind == "single_thread").count(), 1);
}

/// LG-24: work that blocks its thread keeps its claim where there are several.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "a thread is blocked for real")]
async fn lg_24_a_blocked_thread() {
    let store = crate::doubles::Faulty::default();
    let ledger = seaworthy_ledger::Ledger::with_store("tests", store.clone());
    let (second, limit) = (Duration::from_secs(1), Duration::from_millis(300));
    let ledger = ledger.lease(second).request_timeout(limit).keep(LEASE).build().unwrap();
    let work = tokio::spawn({
        let ledger = ledger.clone();
        async move {
            let mut claim = mine(&ledger, &key("a")).await;
            let lost = claim.hold();
            std::thread::sleep(Duration::from_millis(1_800));
            (lost.is_requested(), claim.complete("x").await.unwrap().is_yes())
        }
    });
    assert_eq!(work.await.unwrap(), (false, true));
    assert!(store.take_calls().iter().filter(|call| **call == "renew").count() >= 4);
}

/// CO-17: when nothing is held the renewing ends, and begins again with the next.
#[tokio::test(start_paused = true)]
async fn co_17_nothing_left_behind() {
    let (ledger, store) = ledger();
    let metrics = tokio::runtime::Handle::current().metrics();
    let before = metrics.num_alive_tasks();
    for round in 0..3 {
        let mut claim = mine(&ledger, &key(&round.to_string())).await;
        claim.hold();
        sleep(LEASE * 2).await;
        assert_eq!(metrics.num_alive_tasks(), before + 1);
        assert!(claim.complete("x").await.unwrap().is_yes());
        let begun = now();
        ledger.close().await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        settle_down().await;
        assert_eq!(metrics.num_alive_tasks(), before);
    }
    assert!(store.take_calls().len() > 15);
    assert!(state(&ledger, &key("0")).await.is_some());
}

/// CO-17: closing waits for what is held, and no longer.
#[tokio::test(start_paused = true)]
async fn co_17_held_while_closing() {
    let (ledger, _) = ledger();
    let mut claim = mine(&ledger, &key("a")).await;
    claim.hold();
    let begun = now();
    tokio::spawn(async move {
        sleep(Duration::from_secs(7)).await;
        assert!(claim.complete("x").await.unwrap().is_yes());
    });
    ledger.close().await;
    assert_eq!(begun.elapsed(), Duration::from_secs(7));
}

/// CO-17: a runtime that is shut down takes the renewing with it; a claim on the next one begins it anew.
#[test]
fn co_17_another_runtime() {
    let (ledger, store) = ledger();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let first = runtime();
    let mut kept = first.block_on(async { mine(&ledger, &key("a")).await });
    first.block_on(async { kept.hold() });
    drop(first);
    runtime().block_on(async {
        let mut claim = mine(&ledger, &key("b")).await;
        let lost = claim.hold();
        store.take_calls();
        sleep(LEASE * 3).await;
        assert!(!lost.is_requested());
        assert!(store.take_calls().contains(&"renew"));
    });
}
