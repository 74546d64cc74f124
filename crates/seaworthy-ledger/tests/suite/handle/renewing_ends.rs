use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use seaworthy_store::time::{now, sleep};
use tokio::runtime::{Builder, Runtime};

use super::{LEASE, key, ledger, mine, settle_down};
use crate::doubles::{Fault, Faulty};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// LG-22: `hold` outside of a runtime panics, and whatever is held later is renewed all the same.
#[test]
fn lg_22_held_outside_of_a_runtime() {
    let (ledger, store) = ledger();
    let runtime = runtime();
    let mut outside = runtime.block_on(async { mine(&ledger, &key("a")).await });
    assert!(catch_unwind(AssertUnwindSafe(|| outside.hold())).is_err());
    runtime.block_on(async {
        let mut claim = mine(&ledger, &key("b")).await;
        let lost = claim.hold();
        let _held_after_all = outside.hold();
        store.take_calls();
        sleep(LEASE * 3).await;
        assert!(!lost.is_requested() && !outside.lost().unwrap().is_requested());
        assert!(store.take_calls().contains(&"renew"));
    });
}

/// CO-15: a store that gives fewer answers than it was asked for is not asked in a loop, and what it did not answer is told
/// as lost at its local end.
#[tokio::test(start_paused = true)]
async fn co_15_too_few_answers() {
    let (ledger, store) = ledger();
    let mut claim = mine(&ledger, &key("a")).await;
    let lost = claim.hold();
    store.set(Fault::TooFew);
    store.take_calls();
    sleep(LEASE).await;
    let asked = store.take_calls().len();
    assert!((2..=40).contains(&asked), "{asked}");
    assert!(lost.is_requested());
}

/// LG-23: a store that panics ends the renewing, and with it what is held: that is told at once. The next claim that is held
/// is renewed.
#[tokio::test(start_paused = true)]
async fn lg_23_a_store_that_panics() {
    let (ledger, store) = ledger();
    let mut claim = mine(&ledger, &key("a")).await;
    let lost = claim.hold();
    store.set_for("renew", Fault::Panics);
    let begun = now();
    tokio::time::timeout(LEASE, lost.requested()).await.unwrap();
    assert!(begun.elapsed() < LEASE / 2);
    store.heal();
    let mut next = mine(&ledger, &key("b")).await;
    let lost = next.hold();
    sleep(LEASE * 2).await;
    assert!(!lost.is_requested());
}

/// LG-23: a runtime that is shut down takes the renewing with it; work on another runtime, whose claim nobody renews from
/// then on, is told so.
#[test]
fn lg_23_the_other_runtime_is_gone() {
    let (ledger, _) = ledger();
    let (first, second) = (runtime(), runtime());
    let _renewed_here = first.block_on(async {
        let mut claim = mine(&ledger, &key("a")).await;
        claim.hold();
        settle_down().await;
        claim
    });
    second.block_on(async {
        let mut claim = mine(&ledger, &key("b")).await;
        let lost = claim.hold();
        assert!(!lost.is_requested());
        first.shutdown_background();
        assert!(tokio::time::timeout(LEASE, lost.requested()).await.is_ok());
    });
}

/// LG-23: a renewal that comes after the settlement, and is answered before it, tells nobody that the claim was lost; where
/// the settlement was not recorded, a later renewal tells what is so.
#[tokio::test(start_paused = true)]
async fn lg_23_settled_is_not_lost() {
    let (told, observer) = super::events::recorder();
    let store = Faulty::default();
    let ledger = seaworthy_ledger::Ledger::with_store("tests", store.clone()).observer(observer).build().unwrap();
    let mut claim = mine(&ledger, &key("a")).await;
    let lost = claim.hold();
    sleep(LEASE / 3 - Duration::from_secs(1)).await;
    store.set_for("settle", Fault::Slow(Duration::from_secs(3)));
    store.take_calls();
    assert!(claim.complete("x").await.unwrap().is_yes());
    assert!(store.take_calls().contains(&"renew"));
    assert!(!lost.is_requested());
    assert!(!told.kinds().contains(&"lost"));

    let mut claim = mine(&ledger, &key("b")).await;
    let lost = claim.hold();
    store.set_for("settle", Fault::Down);
    let (_claim, _) = claim.complete("x").await.unwrap_err().into_parts();
    let other = seaworthy_ledger::Ledger::with_store("other", store.clone()).build().unwrap();
    let ranked = seaworthy_ledger::ClaimRequest::new(key("b")).rank(1);
    assert!(matches!(other.claim(ranked).await.unwrap(), seaworthy_ledger::Claimed::Mine(_)));
    sleep(LEASE / 2).await;
    assert!(lost.is_requested());
}
