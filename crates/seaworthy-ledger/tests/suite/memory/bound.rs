use std::time::Duration;

use seaworthy_ledger::store::LedgerStore;
use seaworthy_ledger::{EntryState, ErrorClass, Memory};

use super::given::{KEEP, LEASE, attempt, done, entry, failed, has, held, settled};

/// LG-20: with all keys running a new one is refused as full, and nothing else changes; a key that is there is claimed
/// as ever.
#[tokio::test(start_paused = true)]
async fn running_keys_never_make_room() {
    let store = Memory::new(2).unwrap();
    let first = held(&store, 1).await;
    held(&store, 2).await;
    let refused = store.claim(&attempt(3, LEASE)).await.unwrap_err();
    assert_eq!(refused.class(), ErrorClass::Full);
    assert_eq!(refused.to_string(), "claim: the store is full: 2 keys are running, which is as many as it may keep");
    // Not even those that are stale: their holder may still complete.
    tokio::time::advance(LEASE).await;
    assert_eq!(store.claim(&attempt(3, LEASE)).await.unwrap_err().class(), ErrorClass::Full);
    assert!(has(&store, 1).await && has(&store, 2).await && !has(&store, 3).await);
    assert_eq!(held(&store, 1).await.fence, 2);
    assert!(!store.settle(&first, &done(None)).await.unwrap().is_yes());
}

/// LG-20: beyond the bound done rows go first, oldest first, although an older one failed; then failed ones, oldest
/// first; then it is full.
#[tokio::test(start_paused = true)]
async fn done_rows_go_first_then_failed_ones() {
    let store = Memory::new(4).unwrap();
    settled(&store, 1, failed(Some(KEEP))).await;
    tokio::time::advance(Duration::from_secs(1)).await;
    settled(&store, 2, done(Some(KEEP))).await;
    settled(&store, 3, done(Some(KEEP))).await;
    settled(&store, 4, failed(Some(KEEP))).await;
    let mut left = vec![1, 2, 3, 4];
    for (new, goes) in [(5, 2), (6, 3), (7, 1), (8, 4)] {
        held(&store, new).await;
        left.retain(|&key| key != goes);
        for key in 1..=4 {
            assert_eq!(has(&store, key).await, left.contains(&key), "key {key} when {new} was claimed");
        }
    }
    assert_eq!(store.claim(&attempt(9, LEASE)).await.unwrap_err().class(), ErrorClass::Full);
}

/// LG-20: what is kept for longer goes later, and what was to be removed goes before all, be it failed or done.
#[tokio::test(start_paused = true)]
async fn what_is_kept_for_longer_goes_later() {
    let store = Memory::new(4).unwrap();
    settled(&store, 1, done(None)).await;
    settled(&store, 2, done(Some(KEEP * 2))).await;
    settled(&store, 3, done(Some(KEEP))).await;
    settled(&store, 4, failed(Some(LEASE))).await;
    tokio::time::advance(LEASE).await;
    for (new, goes) in [(5, 4), (6, 3), (7, 2), (8, 1)] {
        assert!(has(&store, goes).await);
        held(&store, new).await;
        assert!(!has(&store, goes).await, "{goes} when {new} was claimed");
    }
}

/// LG-20: a failed row that was claimed again is running, and so it stays, and goes by its new place when it has failed
/// again.
#[tokio::test(start_paused = true)]
async fn a_failed_row_that_runs_again_is_not_in_the_way() {
    let store = Memory::new(2).unwrap();
    settled(&store, 1, failed(Some(KEEP))).await;
    settled(&store, 2, failed(Some(KEEP))).await;
    let again = held(&store, 1).await;
    held(&store, 3).await;
    assert!(has(&store, 1).await && !has(&store, 2).await);
    assert!(store.settle(&again, &failed(Some(KEEP))).await.unwrap().is_yes());
    held(&store, 4).await;
    assert!(!has(&store, 1).await);
}

/// LG-20: a bound of one is a bound; the key that had to go begins again.
#[tokio::test(start_paused = true)]
async fn a_bound_of_one() {
    let store = Memory::new(1).unwrap();
    settled(&store, 1, done(None)).await;
    settled(&store, 2, done(None)).await;
    let again = held(&store, 1).await;
    assert_eq!(again.fence, 1);
    assert!(matches!(entry(&store, 1).await.unwrap().state, EntryState::Running { .. }));
    assert!(!has(&store, 2).await);
    assert!(Memory::new(0).unwrap_err().to_string().contains("max"));
}

/// LG-20: unless told otherwise it keeps 100,000 keys, and 100,000 keys take no longer each than a few.
#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_keys() {
    let store = Memory::default();
    for key in 0..100_001 {
        settled(&store, key, done(Some(KEEP))).await;
    }
    assert!(!has(&store, 0).await && has(&store, 1).await && has(&store, 100_000).await);
    tokio::time::advance(KEEP).await;
    let mut swept = 0;
    while let removed @ 1.. = store.sweep(1_000).await.unwrap() {
        assert!(removed <= 1_000);
        swept += removed;
    }
    assert_eq!(swept, 100_000);
}
