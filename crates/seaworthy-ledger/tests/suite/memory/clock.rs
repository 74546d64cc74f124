use std::time::Duration;

use seaworthy_ledger::Held;
use seaworthy_ledger::store::LedgerStore;
use seaworthy_ledger::store::{Answer, Renewal};
use seaworthy_ledger::{EntryState, Memory};

use super::given::{KEEP, LEASE, attempt, done, entry, failed, has, held, settled};

const MS: Duration = Duration::from_millis(1);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// LG-18: a row is there until `keep` after it was finished, to the millisecond, and a sweep at that moment removes it,
/// done or failed; what is kept for ever is there after a hundred years, and so is what runs.
#[tokio::test(start_paused = true)]
async fn years_pass() {
    let store = Memory::default();
    for (year, keep) in [(0, None), (1, Some(YEAR)), (2, Some(YEAR * 2)), (10, Some(YEAR * 10))] {
        settled(&store, year, done(keep)).await;
        settled(&store, 100 + year, failed(keep)).await;
    }
    held(&store, 1_000).await;
    let mut age = Duration::ZERO;
    for year in [1, 2, 10] {
        tokio::time::advance(YEAR * year - age - MS).await;
        assert_eq!(store.sweep(1_000).await.unwrap(), 0, "1 ms before the end of {year}");
        tokio::time::advance(MS).await;
        age = YEAR * year;
        let year = usize::try_from(year).unwrap();
        assert!(has(&store, year).await && has(&store, 100 + year).await);
        assert_eq!(store.sweep(1_000).await.unwrap(), 2, "the end of {year}");
        assert!(!has(&store, year).await && !has(&store, 100 + year).await);
    }
    tokio::time::advance(YEAR * 90).await;
    assert_eq!(store.sweep(1_000).await.unwrap(), 0);
    assert!(has(&store, 0).await && has(&store, 100).await && has(&store, 1_000).await);
    assert_eq!(store.stale().await.unwrap(), 1);
}

/// LG-18: a failed row that is claimed again has no retention until it is finished again.
#[tokio::test(start_paused = true)]
async fn retention_begins_again() {
    let store = Memory::default();
    settled(&store, 1, failed(Some(KEEP))).await;
    let again = held(&store, 1).await;
    tokio::time::advance(KEEP).await;
    assert_eq!(store.sweep(1_000).await.unwrap(), 0);
    assert_eq!(store.settle(&again, &failed(Some(KEEP))).await.unwrap(), Held::Yes);
    tokio::time::advance(KEEP - MS).await;
    assert_eq!(store.sweep(1_000).await.unwrap(), 0);
    tokio::time::advance(MS).await;
    assert_eq!(store.sweep(1_000).await.unwrap(), 1);
}

/// LG-02: what is left of a lease is told to the millisecond, and at its end the key is free.
#[tokio::test(start_paused = true)]
async fn a_lease_is_over_at_its_end() {
    let store = Memory::default();
    held(&store, 1).await;
    let mut other = attempt(1, LEASE);
    other.owner = 8 << 32;
    assert_eq!(store.claim(&other).await.unwrap(), Answer::Busy { left: LEASE });
    tokio::time::advance(LEASE - MS).await;
    assert_eq!(store.claim(&other).await.unwrap(), Answer::Busy { left: MS });
    assert_eq!(store.stale().await.unwrap(), 0);
    tokio::time::advance(MS).await;
    assert_eq!(store.stale().await.unwrap(), 1);
    assert_eq!(entry(&store, 1).await.unwrap().state, EntryState::Running { left: Duration::ZERO });
    assert_eq!(store.claim(&other).await.unwrap(), Answer::Granted { fence: 2, grants: 2 });
}

/// LG-06: a renewal in the last millisecond moves the end, one at the end is late.
#[tokio::test(start_paused = true)]
async fn a_renewal_at_the_end_is_late() {
    let store = Memory::default();
    let leases = [(held(&store, 1).await, LEASE)];
    tokio::time::advance(LEASE - MS).await;
    assert_eq!(store.renew(&leases).await.unwrap(), [Renewal::Renewed]);
    tokio::time::advance(LEASE - MS).await;
    assert_eq!(entry(&store, 1).await.unwrap().state, EntryState::Running { left: MS });
    tokio::time::advance(MS).await;
    assert_eq!(store.renew(&leases).await.unwrap(), [Renewal::Lost]);
}

/// LG-20: dates are those of tokio's clock, and times that no clock reaches are no limit.
#[tokio::test(start_paused = true)]
async fn dates_follow_the_paused_clock() {
    let store = Memory::default();
    let holder = held(&store, 1).await;
    tokio::time::advance(YEAR).await;
    assert_eq!(store.settle(&holder, &done(Some(Duration::MAX))).await.unwrap(), Held::Yes);
    let row = entry(&store, 1).await.unwrap();
    assert_eq!(row.finished_at.unwrap().duration_since(row.first_at).unwrap(), YEAR);
    assert_eq!(row.started_at, row.first_at);
    let Answer::Granted { fence: 1, .. } = store.claim(&attempt(2, Duration::MAX)).await.unwrap() else { panic!() };
    tokio::time::advance(YEAR * 100).await;
    assert_eq!((store.sweep(10).await.unwrap(), store.stale().await.unwrap()), (0, 0));
}
