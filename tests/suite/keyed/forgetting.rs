use std::time::Duration;

use seaworthy::{CircuitBreaker, Keyed, State, Verdict};

use super::{IDLE, bulkhead, circuits, keys, template};
use crate::support::{MS, SECOND, advance, settle};

/// KY-03: an unused handle is evicted between one and two idle times after its last use, without a timer or a task.
/// Asking for a key, or finding it, is a use; listing it is not.
#[tokio::test(start_paused = true)]
async fn ky_03_idle() {
    let hosts = circuits(10);
    for key in ["asked", "found", "listed"] {
        hosts.get(key);
    }
    advance(IDLE - MS).await;
    hosts.evict_idle();
    assert_eq!(hosts.len(), 3);
    hosts.get("asked");
    hosts.find("found");
    let _ = hosts.handles();
    advance(MS).await;
    // The one that was not used is found idle, and has to be found so once more.
    hosts.evict_idle();
    assert_eq!(hosts.len(), 3);
    advance(IDLE - MS).await;
    hosts.evict_idle();
    assert_eq!(hosts.len(), 3);
    advance(MS).await;
    hosts.evict_idle();
    assert_eq!(keys(&hosts), ["asked", "found"]);
    advance(2 * IDLE).await;
    // Nothing has looked yet.
    assert_eq!((hosts.len(), hosts.snapshot().evicted_idle), (2, 1));
    hosts.evict_idle();
    assert!(hosts.is_empty());
    assert_eq!((hosts.snapshot().evicted_idle, hosts.snapshot().evicted_for_capacity), (3, 0));
}

/// KY-03: a handle that was found idle and is then used is no longer on its way out.
#[tokio::test(start_paused = true)]
async fn ky_03_used_again() {
    let hosts = circuits(10);
    hosts.get("a");
    for _ in 0..5 {
        advance(IDLE).await;
        hosts.evict_idle();
        hosts.get("a");
    }
    assert_eq!(hosts.snapshot().created, 1);
}

/// KY-03: calls for other keys do the work, a few looks at a time: a few more calls than there are handles are enough,
/// and none looks at more than three.
#[tokio::test(start_paused = true)]
async fn ky_03_by_calls_for_other_keys() {
    let tenants = bulkhead(1_000);
    for key in 0..1_000 {
        tenants.get(&key);
    }
    advance(IDLE).await;
    let mut before = tenants.snapshot().evicted_idle;
    let mut ask = |keys: std::ops::Range<u32>| {
        for key in keys {
            tenants.get(&key);
            let after = tenants.snapshot().evicted_idle;
            assert!(after - before <= 3);
            before = after;
        }
    };
    // They reach all sixteen shards, each often enough whatever the hashes are.
    ask(0..500);
    for _ in 0..10 {
        ask(0..500);
    }
    advance(IDLE).await;
    for _ in 0..10 {
        ask(0..500);
    }
    assert_eq!(keys(&tenants), (0..500).collect::<Vec<_>>());
    assert_eq!(tenants.snapshot().created, 1_000);
}

/// KY-13: after an idle year the first call looks at three handles at most; the others are evicted bit by bit.
#[tokio::test(start_paused = true)]
async fn ky_13_an_idle_year() {
    let tenants = bulkhead(1_000_000);
    for key in 0..10_000 {
        tenants.get(&key);
    }
    advance(Duration::from_secs(365 * 24 * 3600)).await;
    tenants.get(&0);
    assert!(tenants.len() >= 10_000 - 3);
    tenants.evict_idle();
    advance(IDLE).await;
    tenants.evict_idle();
    assert_eq!(keys(&tenants), [0]);
}

/// KY-03: an idle time with no limit means that nothing is evicted.
#[tokio::test(start_paused = true)]
async fn ky_03_without_end() {
    let hosts: Keyed<u32, CircuitBreaker> = template().keyed().idle(Duration::MAX).build().unwrap();
    hosts.get(&7);
    for _ in 0..3 {
        advance(Duration::from_secs(365 * 24 * 3600)).await;
        hosts.evict_idle();
    }
    assert_eq!(hosts.len(), 1);
}

async fn forget<K, H: seaworthy::keyed::KeyedHandle>(keyed: &Keyed<K, H>) {
    for _ in 0..3 {
        advance(IDLE).await;
        keyed.evict_idle();
    }
}

/// KY-02: a handle that is held is never evicted, nor one with a call in flight; the idle time begins when it is found
/// to be no longer held.
#[tokio::test(start_paused = true)]
async fn ky_02_held() {
    let (hosts, tenants) = (circuits(10), bulkhead(10));
    let circuit_breaker = hosts.get("handle");
    let permit = hosts.get("permit").admit().unwrap();
    let layer = hosts.get("layer").layer();
    let leaked = hosts.get("leaked").leak();
    let bulkhead_permit = tenants.get(&1).try_acquire().unwrap();
    let waits = tenants.get(&2).acquire();
    for _ in 0..5 {
        forget(&hosts).await;
        forget(&tenants).await;
    }
    assert_eq!(keys(&hosts), ["handle", "layer", "leaked", "permit"]);
    assert_eq!(keys(&tenants), [1, 2]);
    // It is the same one: its state still counts.
    permit.settle(Verdict::Failure);
    assert_eq!(hosts.get("permit").state(), State::Open);
    drop((circuit_breaker, layer, bulkhead_permit, waits));
    hosts.evict_idle();
    tenants.evict_idle();
    assert_eq!((hosts.len(), tenants.len()), (4, 2));
    forget(&hosts).await;
    forget(&tenants).await;
    assert_eq!((keys(&hosts), keys(&tenants)), (vec![String::from("leaked")], vec![]));
    assert_eq!(leaked.state(), State::Closed);
}

/// KY-02: calls that take longer than the idle time, with pauses between them, still add up.
#[tokio::test(start_paused = true)]
async fn ky_02_long_calls_count() {
    let hosts: Keyed<u32, CircuitBreaker> = template().consecutive_failures(3).keyed().idle(SECOND).build().unwrap();
    for _ in 0..2 {
        let permit = hosts.get(&7).admit().unwrap();
        advance(10 * SECOND).await;
        permit.settle(Verdict::Failure);
        // A look right after it: it has not been idle at all, though it was asked for long ago.
        hosts.evict_idle();
        advance(SECOND - MS).await;
        hosts.evict_idle();
    }
    settle(&hosts.get(&7), &[Verdict::Failure]);
    assert_eq!(hosts.get(&7).state(), State::Open);
}

/// KY-04: an open circuit is not evicted before its open time is over; after that it is, once the idle time is over.
#[tokio::test(start_paused = true)]
async fn ky_04_open() {
    let hosts: Keyed<u32, CircuitBreaker> = template().open_for(10 * IDLE).keyed().idle(IDLE).build().unwrap();
    settle(&hosts.get(&7), &[Verdict::Failure]);
    for _ in 0..19 {
        advance(IDLE / 2).await;
        hosts.evict_idle();
    }
    assert_eq!((hosts.len(), hosts.get(&7).state()), (1, State::Open));
    // Found in use for the last time.
    advance(IDLE / 2).await;
    hosts.evict_idle();
    assert_eq!(hosts.len(), 1);
    advance(IDLE).await;
    hosts.evict_idle();
    assert_eq!((hosts.len(), hosts.handles()[0].1.state()), (1, State::Open));
    advance(IDLE).await;
    hosts.evict_idle();
    assert!(hosts.is_empty());
}

/// KY-04: the same if the circuit was found idle before it was opened, through a handle from the list.
#[tokio::test(start_paused = true)]
async fn ky_04_opened_while_resting() {
    let hosts = circuits(10);
    hosts.get("a");
    advance(IDLE).await;
    hosts.evict_idle();
    let listed = hosts.handles().remove(0).1;
    settle(&listed, &[Verdict::Failure]);
    drop(listed);
    // Open for a second of this.
    advance(IDLE).await;
    hosts.evict_idle();
    assert_eq!(hosts.handles()[0].1.state(), State::Open);
    advance(IDLE).await;
    hosts.evict_idle();
    assert!(hosts.is_empty());
}

/// KY-04: nor is one that was forced, or is open for ever, nor a bulkhead whose limit was changed, until that is
/// undone.
#[tokio::test(start_paused = true)]
async fn ky_04_told_to_be_so() {
    let hosts: Keyed<u32, CircuitBreaker> = template().open_for(Duration::MAX).keyed().idle(IDLE).build().unwrap();
    hosts.get(&1).force_open();
    hosts.get(&2).force_closed();
    settle(&hosts.get(&3), &[Verdict::Failure]);
    let tenants = bulkhead(10);
    tenants.get(&1).set_limit(5).unwrap();
    forget(&hosts).await;
    forget(&tenants).await;
    assert_eq!((keys(&hosts), keys(&tenants)), (vec![1, 2, 3], vec![1]));
    assert_eq!(tenants.get(&1).limit(), 5);
    // Listed handles are the same ones, and so is what is done through them.
    for (_, circuit_breaker) in hosts.handles() {
        circuit_breaker.reset();
    }
    tenants.get(&1).set_limit(1).unwrap();
    forget(&hosts).await;
    forget(&tenants).await;
    assert!(hosts.is_empty() && tenants.is_empty());
}

/// KY-04: a half-open circuit whose probe is gone is evicted after the idle time.
#[tokio::test(start_paused = true)]
async fn ky_04_half_open() {
    let hosts = circuits(10);
    settle(&hosts.get("a"), &[Verdict::Failure]);
    advance(SECOND).await;
    let probe = hosts.get("a").admit().unwrap();
    forget(&hosts).await;
    // The probe is held, though it has timed out.
    assert_eq!(hosts.get("a").state(), State::HalfOpen);
    drop(probe);
    forget(&hosts).await;
    assert!(hosts.is_empty());
}
