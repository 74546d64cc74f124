use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::observe::KeyedEvent;
use seaworthy::{Bulkhead, Event, Keyed, Rejected, State, Verdict};

use super::{bulkhead, circuits, is_overflow, keys, template};
use crate::support::{MS, SECOND, advance, settle};

/// KY-05: there are never more than `max`; a new key takes the place of the one that was used least recently.
#[tokio::test(start_paused = true)]
async fn ky_05_the_least_recently_used_goes() {
    let hosts = circuits(3);
    for key in ["a", "b", "c", "a"] {
        hosts.get(key);
        advance(MS).await;
    }
    hosts.get("d");
    assert_eq!(keys(&hosts), ["a", "c", "d"]);
    hosts.find("c");
    advance(MS).await;
    hosts.get("e");
    hosts.get("f");
    assert_eq!(keys(&hosts).len(), 3);
    assert!(hosts.find("a").is_none() && hosts.find("e").is_some() && hosts.find("f").is_some());
    let snapshot = hosts.snapshot();
    assert_eq!(
        (snapshot.created, snapshot.evicted_for_capacity, snapshot.evicted_idle, snapshot.overflowed),
        (6, 3, 0, 0)
    );
}

/// KY-05: a handle that is held, open, half-open, forced, or has another limit, keeps its place.
#[tokio::test(start_paused = true)]
async fn ky_05_what_is_needed_stays() {
    let hosts = circuits(6);
    let _held = hosts.get("held");
    settle(&hosts.get("open"), &[Verdict::Failure]);
    settle(&hosts.get("over"), &[Verdict::Failure]);
    settle(&hosts.get("half-open"), &[Verdict::Failure]);
    hosts.get("forced").force_closed();
    advance(SECOND).await;
    // Dropped without a verdict: no probe is in flight, and nothing is known yet.
    drop(hosts.get("half-open").admit().unwrap());
    drop(hosts.get("open").admit().map(|probe| probe.settle(Verdict::Failure)));
    let states = ["open", "over", "half-open"].map(|key| hosts.get(key).state());
    assert_eq!(states, [State::Open, State::Open, State::HalfOpen]);
    for key in 0..10 {
        advance(MS).await;
        assert!(!is_overflow(&hosts.get(&key.to_string())), "the last one gives way");
    }
    assert_eq!(keys(&hosts), ["9", "forced", "half-open", "held", "open", "over"]);

    let tenants = bulkhead(2);
    tenants.get(&1).set_limit(7).unwrap();
    for key in 2..9 {
        advance(MS).await;
        tenants.get(&key);
    }
    assert_eq!(keys(&tenants), [1, 8]);
}

/// KY-06: if none can be evicted, other keys share the overflow; that of circuit breakers lets every call pass,
/// whatever it measures, unless it is forced open.
#[tokio::test(start_paused = true)]
async fn ky_06_overflow_of_circuits() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&told);
    let template = template().observer(move |event: &Event<'_>| {
        if let Event::Keyed(KeyedEvent::Exhausted { name, max, .. }) = event {
            lines.lock().unwrap().push(format!("{name}, {max}"));
        }
    });
    let hosts: Keyed<String, _> = template.keyed().max(2).build().unwrap();
    let held = [hosts.get("a"), hosts.get("b")];
    for key in ["c", "d", "c"] {
        let circuit_breaker = hosts.get(key);
        assert!(is_overflow(&circuit_breaker));
        // One sick key says nothing about the others.
        settle(&circuit_breaker, &[Verdict::Failure; 3]);
    }
    assert_eq!((hosts.overflow().state(), hosts.overflow().snapshot().rejected), (State::Closed, 0));
    assert_eq!((keys(&hosts).len(), hosts.snapshot().overflowed, hosts.snapshot().created), (2, 3, 2));
    assert_eq!(*told.lock().unwrap(), ["hosts, 2"]);
    hosts.overflow().force_open();
    assert!(hosts.get("c").admit().is_err());
    hosts.overflow().reset();

    drop(held);
    advance(MS).await;
    assert!(!is_overflow(&hosts.get("c")));
    // It is full as before, and never had room: that is not reported.
    let held = ["c", "d"].map(|key| hosts.get(key));
    assert!(is_overflow(&hosts.get("e")));
    assert_eq!(told.lock().unwrap().len(), 1);
    hosts.remove("c");
    let _held = (held, hosts.get("e"));
    assert!(is_overflow(&hosts.get("f")));
    assert_eq!(told.lock().unwrap().len(), 2);
}

/// KY-06: the overflow of bulkheads has as many permits for all as each bulkhead has.
#[tokio::test(start_paused = true)]
async fn ky_06_overflow_of_bulkheads() {
    let tenants = bulkhead(1);
    let _held = tenants.get(&1).try_acquire().unwrap();
    let permit = tenants.get(&2).try_acquire().unwrap();
    let full = tenants.get(&3).try_acquire().unwrap_err();
    assert_eq!(full, Rejected::BulkheadFull { name: "tenants (overflow)".into(), retry_after: None.into() });
    assert_eq!((tenants.overflow().in_use(), tenants.len()), (1, 1));
    drop(permit);
    assert!(tenants.get(&3).try_acquire().is_ok());
}

/// KY-05, KY-06: at most sixteen are looked at; those passed over have moved to the end, so that the next look finds
/// more.
#[tokio::test(start_paused = true)]
async fn ky_06_looks_are_bounded() {
    let tenants: Keyed<u32, Bulkhead> = Bulkhead::builder("tenants").keyed().max(40).build().unwrap();
    let held: Vec<Bulkhead> = (0..32).map(|key| tenants.get(&key)).collect();
    advance(MS).await;
    for key in 32..40 {
        tenants.get(&key);
    }
    advance(MS).await;
    let mut names = Vec::new();
    for key in 40..44 {
        names.push(tenants.get(&key).name().ends_with(" (overflow)"));
        advance(MS).await;
    }
    // Two rounds over those that are held, then those behind them.
    assert_eq!(names, [true, true, false, false]);
    assert_eq!((tenants.len(), tenants.snapshot().evicted_for_capacity), (40, 2));
    drop(held);
}

/// SO-07: that nothing can be evicted is remembered for a millisecond, in which an unknown key gets the overflow
/// without a look; but no longer, and a place that becomes free is taken at once.
#[tokio::test(start_paused = true)]
async fn so_07_full_is_remembered_for_a_while() {
    let hosts = circuits(2);
    let held = ["a", "b"].map(|key| hosts.get(key));
    assert!(is_overflow(&hosts.get("c")));
    drop(held);
    advance(MS - Duration::from_nanos(1)).await;
    assert!(is_overflow(&hosts.get("c")) && is_overflow(&hosts.get("d")));
    assert!(!is_overflow(&hosts.get("a")), "one that is known is found");
    advance(Duration::from_nanos(1)).await;
    assert!(!is_overflow(&hosts.get("c")));
    assert_eq!((hosts.snapshot().overflowed, hosts.snapshot().evicted_for_capacity), (3, 1));

    let _held = ["a", "c"].map(|key| hosts.get(key));
    assert!(is_overflow(&hosts.get("d")));
    hosts.remove("a");
    assert!(!is_overflow(&hosts.get("d")), "there is room");
}
