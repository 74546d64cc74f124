use std::time::Duration;

use seaworthy_ledger::{ClaimRequest, Claimed, ErrorClass};
use seaworthy_store::time::now;
use tokio::time::advance;

use super::{LEASE, key, ledger, mine};
use crate::doubles::Fault;

/// LG-26: a process holds at most one claim of a key: the second is busy, and the store is not asked.
#[tokio::test(start_paused = true)]
async fn lg_26_one_of_a_key() {
    let (ledger, store) = ledger();
    let claim = mine(&ledger, &key("a")).await;
    advance(Duration::from_secs(20)).await;
    store.take_calls();
    match ledger.clone().claim(&key("a")).await.unwrap() {
        Claimed::Busy { retry_in } => assert_eq!(retry_in, LEASE - Duration::from_secs(20)),
        other => panic!("{other:?}"),
    }
    assert!(store.take_calls().is_empty());
    assert_eq!(ledger.held(), 1);
    // Another key is not in the way, nor is this one when it is settled.
    let other = mine(&ledger, &key("b")).await;
    assert!(claim.fail("again").await.unwrap().is_yes());
    assert_eq!((mine(&ledger, &key("a")).await.fence(), other.fence()), (2, 1));
}

/// LG-26: while a first claim waits for its answer a second is busy, whatever the store would have said.
#[tokio::test(start_paused = true)]
async fn lg_26_asked_for_once() {
    let (ledger, store) = ledger();
    store.set(Fault::Slow(Duration::from_secs(2)));
    let first = tokio::spawn({
        let ledger = ledger.clone();
        async move { ledger.claim(&key("a")).await.unwrap() }
    });
    super::settle_down().await;
    assert!(matches!(ledger.claim(&key("a")).await.unwrap(), Claimed::Busy { retry_in } if retry_in.as_millis() == 50));
    assert_eq!(store.take_calls(), ["claim"]);
    assert!(matches!(first.await.unwrap(), Claimed::Mine(_)));
}

/// LG-26: a lease that is over does not keep the process from claiming anew, and the old claim settles nothing.
#[tokio::test(start_paused = true)]
async fn lg_26_over_is_over() {
    let (ledger, _) = ledger();
    let mut old = mine(&ledger, &key("a")).await;
    old.begin();
    advance(LEASE).await;
    let new = mine(&ledger, &key("a")).await;
    assert_eq!(new.fence(), 2);
    assert!(!old.complete("old").await.unwrap().is_yes());
    assert_eq!(ledger.held(), 1);
    assert!(new.complete("new").await.unwrap().is_yes());
    assert_eq!(ledger.held(), 0);
}

/// LG-27: a higher rank takes over within one process, too; what it is taken from is told, and records nothing.
#[tokio::test(start_paused = true)]
async fn lg_27_rank_in_one_process() {
    let (ledger, store) = ledger();
    let ranked = |rank| ClaimRequest::new(key("a")).rank(rank);
    let Claimed::Mine(mut old) = ledger.claim(ranked(1)).await.unwrap() else { panic!("not granted") };
    let lost = old.hold();
    store.take_calls();
    for rank in [0, 1] {
        assert!(matches!(ledger.claim(ranked(rank)).await.unwrap(), Claimed::Busy { .. }));
    }
    assert!(store.take_calls().is_empty() && !lost.is_requested());
    let Claimed::Mine(new) = ledger.claim(ranked(2)).await.unwrap() else { panic!("not granted") };
    assert!(lost.is_requested());
    assert!(!old.complete("old").await.unwrap().is_yes());
    assert!(new.complete("new").await.unwrap().is_yes());
}

/// LG-12, LG-90: an answer that was lost costs one more claim and not a lease: the same handle asks again as the same.
#[tokio::test(start_paused = true)]
async fn lg_12_lg_90_a_lost_answer() {
    let (ledger, store) = ledger();
    store.set(Fault::LosesAnswers);
    let error = ledger.claim(&key("a")).await.unwrap_err();
    assert_eq!(error.class(), Some(ErrorClass::Unavailable));
    store.set(Fault::None);
    // For others it is taken.
    let stranger = seaworthy_ledger::Ledger::with_store("other", store.clone()).build().unwrap();
    assert!(matches!(stranger.claim(&key("a")).await.unwrap(), Claimed::Busy { .. }));
    let claim = mine(&ledger, &key("a")).await;
    assert_eq!(claim.fence(), 2);
    assert!(claim.complete("done").await.unwrap().is_yes());
}

/// LG-12, IN-15: the same when the future is dropped at its await, and when the store never did it.
#[tokio::test(start_paused = true)]
async fn lg_12_dropped() {
    for (fault, fence) in [(Fault::LosesAnswers, 2), (Fault::Hangs, 1)] {
        let (ledger, store) = ledger();
        store.set(fault);
        let mut claim = tokio_test::task::spawn(ledger.claim(key("a")));
        assert!(claim.poll().is_pending());
        drop(claim);
        store.set(Fault::None);
        assert_eq!(mine(&ledger, &key("a")).await.fence(), fence);
    }
}

/// LG-12, CO-13: a claim that was given up, and that the store carries out late, takes nothing from the one that was
/// granted meanwhile.
#[tokio::test(start_paused = true)]
async fn lg_12_carried_out_late() {
    for fault in [Fault::Hangs, Fault::LosesAnswers] {
        let (ledger, store) = ledger();
        store.set(fault);
        for _ in 0..3 {
            assert!(ledger.claim(&key("a")).await.unwrap_err().is_unavailable());
        }
        store.set(Fault::None);
        let mut claim = mine(&ledger, &key("a")).await;
        let lost = claim.hold();
        store.carry_out_late().await;
        assert!(claim.renew().await.unwrap().is_yes(), "{fault:?}");
        assert!(claim.complete("x").await.unwrap().is_yes(), "{fault:?}");
        assert!(!lost.is_requested());
    }
}

/// LG-04, LG-26: another fingerprint is a mismatch within one process, too, while the first is at it.
#[tokio::test(start_paused = true)]
async fn lg_04_in_one_process() {
    let (ledger, store) = ledger();
    let print = |text: &'static str| ClaimRequest::new(key("a")).fingerprint(text);
    let Claimed::Mine(claim) = ledger.claim(print("one")).await.unwrap() else { panic!("not granted") };
    store.take_calls();
    assert!(matches!(ledger.claim(print("two")).await.unwrap(), Claimed::Mismatch));
    assert!(matches!(ledger.claim(print("one")).await.unwrap(), Claimed::Busy { .. }));
    assert!(matches!(ledger.claim(&key("a")).await.unwrap(), Claimed::Busy { .. }));
    assert!(store.take_calls().is_empty());
    // A failed key takes the new one.
    assert!(claim.fail("x").await.unwrap().is_yes());
    assert!(matches!(ledger.claim(print("two")).await.unwrap(), Claimed::Mine(_)));
}

/// LG-12: what is in doubt is forgotten with its lease, so that a million keys leave nothing behind.
#[tokio::test(start_paused = true)]
async fn lg_12_doubts_end() {
    let (ledger, store) = ledger();
    store.set(Fault::Down);
    for n in 0..1_000 {
        assert!(ledger.claim(&key(&n.to_string())).await.is_err());
    }
    advance(LEASE).await;
    store.set(Fault::None);
    for n in 0..1_000 {
        mine(&ledger, &key(&format!("new-{n}"))).await.settled();
    }
    assert_eq!(ledger.held(), 0);
}

/// CO-13: a claim is given up at its limit, also if the store never answers.
#[tokio::test(start_paused = true)]
async fn co_13_limit() {
    let (ledger, store) = ledger();
    store.set(Fault::Hangs);
    let begun = now();
    assert!(ledger.claim(&key("a")).await.unwrap_err().is_unavailable());
    assert!(ledger.lookup(&key("a")).await.unwrap_err().is_unavailable());
    assert!(ledger.sweep().await.unwrap_err().is_unavailable());
    assert_eq!(begun.elapsed(), Duration::from_secs(15));
}

/// LG-91: an error's text says what was asked, and nothing of the key.
#[tokio::test(start_paused = true)]
async fn lg_91_texts() {
    let (ledger, store) = ledger();
    store.set(Fault::Down);
    let error = ledger.claim(&key("the secret of this key")).await.unwrap_err();
    assert_eq!(error.to_string(), "ledger: claim: the store is unavailable: told to be down");
    store.set(Fault::Refused);
    let error = ledger.lookup(&key("a")).await.unwrap_err();
    assert_eq!(error.to_string(), "ledger: lookup: the store is not usable: told to refuse");
    assert_eq!(format!("{:?}", key("a value of some length")), "Key(tests/a value of some …)");
}

/// LG-02: what is left of a lease is at least 10 ms.
#[tokio::test(start_paused = true)]
async fn lg_02_at_least_10_ms() {
    let (ledger, store) = ledger();
    let other = seaworthy_ledger::Ledger::with_store("other", store).build().unwrap();
    let mut claim = mine(&other, &key("a")).await;
    claim.begin();
    advance(LEASE - Duration::from_millis(1)).await;
    for ledger in [&ledger, &other] {
        let Claimed::Busy { retry_in } = ledger.claim(&key("a")).await.unwrap() else { panic!("not busy") };
        assert_eq!(retry_in, Duration::from_millis(10));
    }
}
