use std::time::Duration;

use seaworthy_ledger::{ClaimRequest, Claimed};
use tokio::time::advance;

use super::{LEASE, key, ledger};
use crate::doubles::Fault;

/// LG-90: a key whose claim is in doubt stays so while the store says that it stands for something else, or refuses: with
/// the fingerprint that it was first asked with it is granted at once.
#[tokio::test(start_paused = true)]
async fn lg_90_still_in_doubt() {
    let (ledger, store) = ledger();
    let printed = |print: &'static str| ClaimRequest::new(key("a")).fingerprint(print);
    store.set(Fault::LosesAnswers);
    assert!(ledger.claim(printed("one")).await.unwrap_err().is_unavailable());
    store.heal();
    assert!(matches!(ledger.claim(printed("two")).await.unwrap(), Claimed::Mismatch));
    store.set(Fault::Refused);
    assert!(ledger.claim(printed("one")).await.is_err());
    store.heal();
    let Claimed::Mine(claim) = ledger.claim(printed("one")).await.unwrap() else { panic!("not granted") };
    assert_eq!((claim.fence(), claim.is_first()), (2, true));
    // What was granted is in doubt no more.
    drop(claim);
    ledger.close().await;
    let Claimed::Mine(claim) = ledger.claim(printed("two")).await.unwrap() else { panic!("not granted") };
    assert!(claim.complete("done").await.unwrap().is_yes());
}

/// LG-90: a doubt lasts for as long as the longest of the leases that were asked for in it, although so many other keys are
/// asked for that the doubts which are over are forgotten.
#[tokio::test(start_paused = true)]
async fn lg_90_the_longest_lease() {
    let (ledger, store) = ledger();
    store.set(Fault::LosesAnswers);
    assert!(ledger.claim(ClaimRequest::new(key("a")).lease(LEASE * 60)).await.is_err());
    store.set(Fault::Down);
    assert!(ledger.claim(ClaimRequest::new(key("a")).lease(LEASE)).await.is_err());
    store.heal();
    advance(LEASE * 2).await;
    for n in 0..200 {
        assert!(matches!(ledger.claim(&key(&n.to_string())).await.unwrap(), Claimed::Mine(_)));
    }
    assert!(matches!(ledger.claim(&key("a")).await.unwrap(), Claimed::Mine(_)));
}

/// LG-90: a claim in doubt that was asked for over an older one of this process takes nothing from that if the store never
/// did it; if it did, the older one settles nothing, and the next asks in the same name.
#[tokio::test(start_paused = true)]
async fn lg_90_over_an_older_one() {
    for (fault, is_taken) in [(Fault::Hangs, false), (Fault::LosesAnswers, true)] {
        let (ledger, store) = ledger();
        let ranked = |rank| ClaimRequest::new(key("a")).rank(rank);
        let Claimed::Mine(mut old) = ledger.claim(ranked(1)).await.unwrap() else { panic!("not granted") };
        let lost = old.hold();
        store.set_for("claim", fault);
        let mut asking = tokio_test::task::spawn(ledger.claim(ranked(2)));
        assert!(asking.poll().is_pending());
        drop(asking);
        store.heal();
        assert!(matches!(ledger.claim(ranked(1)).await.unwrap(), Claimed::Busy { .. }));
        seaworthy_store::time::sleep(LEASE / 2).await;
        assert_eq!(lost.is_requested(), is_taken, "{fault:?}");
        assert_eq!(old.complete("old").await.unwrap().is_yes(), !is_taken, "{fault:?}");
        match ledger.claim(&key("a")).await.unwrap() {
            Claimed::Mine(claim) => assert!(is_taken && claim.fence() == 3),
            Claimed::Done(record) => assert!(!is_taken && record.fence == 1),
            other => panic!("{other:?}"),
        }
    }
}

/// LG-02: how long a key is busy is the holder's lease, and not that of whoever asks.
#[tokio::test(start_paused = true)]
async fn lg_02_the_holders_lease() {
    let (ledger, store) = ledger();
    let other = seaworthy_ledger::Ledger::with_store("other", store).build().unwrap();
    let Claimed::Mine(_claim) = other.claim(ClaimRequest::new(key("a")).lease(LEASE * 10)).await.unwrap() else {
        panic!("not granted")
    };
    advance(Duration::from_secs(1)).await;
    let Claimed::Busy { retry_in } = ledger.claim(&key("a")).await.unwrap() else { panic!("not busy") };
    assert_eq!(retry_in, LEASE * 10 - Duration::from_secs(1));
}
