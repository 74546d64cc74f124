use std::sync::Arc;

use seaworthy::{BoxError, Bulkhead, CircuitBreaker, Keyed, State, Verdict};

use super::{bulkhead, circuits, keys, template};
use crate::support::settle;

/// KY-01: a handle is made when its key is first asked for, from the template's settings and with the key in its name,
/// and is the same from then on, from all clones of the family.
#[tokio::test(start_paused = true)]
async fn ky_01_one_for_each_key() {
    let hosts = circuits(10);
    assert!(hosts.is_empty() && hosts.find("a").is_none() && hosts.is_empty());
    let a = hosts.get("a");
    assert_eq!((a.name().as_str(), hosts.name().as_str(), hosts.len()), ("hosts[a]", "hosts", 1));
    settle(&hosts.clone().get("a"), &[Verdict::Failure]);
    // It opened after one failure, as the template says; the other is unaffected.
    assert_eq!((a.state(), hosts.get("b").state()), (State::Open, State::Closed));
    assert_eq!(hosts.find("a").map(|circuit_breaker| circuit_breaker.state()), Some(State::Open));
    assert_eq!(keys(&hosts), ["a", "b"]);
    let snapshot = hosts.snapshot();
    assert_eq!((snapshot.handles, snapshot.max, snapshot.created, snapshot.overflowed), (2, 10, 2, 0));
    assert_eq!(format!("{hosts:?}"), r#"Keyed { name: "hosts", handles: 2, max: 10, .. }"#);
}

/// KY-01: bulkheads, too, and keys that are borrowed, made or owned.
#[test]
fn ky_01_all_ways_to_ask() {
    let tenants = bulkhead(10);
    let held = tenants.get(&7).try_acquire().unwrap();
    assert!(tenants.get_owned(7).try_acquire().is_err());
    assert!(tenants.get_with(&7, |_| unreachable!("it is known")).try_acquire().is_err());
    assert!(tenants.get_owned(8).try_acquire().is_ok());
    drop(held);
    assert!(tenants.get(&7).try_acquire().is_ok());
    assert_eq!(keys(&tenants), [7, 8]);

    let shared: Keyed<Arc<str>, Bulkhead> = Bulkhead::builder("tenants").keyed().build().unwrap();
    let acme = shared.get_with("acme", |key| Arc::from(key));
    assert_eq!(acme.name(), "tenants[acme]");
    assert_eq!(shared.find("acme").map(|bulkhead| bulkhead.limit()), Some(acme.limit()));
}

/// KY-01: without tower.
#[tokio::test(start_paused = true)]
async fn ky_01_run() {
    let hosts = circuits(10);
    let error = hosts.get("ill").run(async { Err::<(), BoxError>("down".into()) }).await.unwrap_err();
    assert_eq!(error.to_string(), "down");
    assert!(hosts.get("ill").run(async { Ok::<(), BoxError>(()) }).await.is_err());
    assert!(hosts.get("well").run(async { Ok::<(), BoxError>(()) }).await.is_ok());
}

/// KY-10: custom names.
#[test]
fn ky_10_labels() {
    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Secret(&'static str);

    let hosts: Keyed<Secret, CircuitBreaker> = template().keyed().build_labelled(|key: &Secret| key.0.len()).unwrap();
    assert_eq!(hosts.get(&Secret("hunter2")).name(), "hosts[7]");
    assert_eq!(hosts.overflow().name(), "hosts (overflow)");
}

/// KY-12: a removed handle is gone whatever its state; code that holds it goes on with it, alone.
#[tokio::test(start_paused = true)]
async fn ky_12_remove() {
    let hosts = circuits(10);
    let held = hosts.get("a");
    settle(&held, &[Verdict::Failure]);
    assert!(hosts.remove("b").is_none());
    let removed = hosts.remove("a").unwrap();
    assert!(hosts.remove("a").is_none() && hosts.is_empty());
    assert_eq!((removed.state(), held.state()), (State::Open, State::Open));
    assert_eq!(hosts.get("a").state(), State::Closed);
    removed.reset();
    assert_eq!(held.state(), State::Closed);
    assert_eq!(hosts.snapshot().evicted_idle, 0);
    // Many come and go, and the places are reused.
    for round in 0..100 {
        let names: Vec<String> = (0..9).map(|key| format!("{round}-{key}")).collect();
        for name in &names {
            assert_eq!(hosts.get(name).name(), format!("hosts[{name}]").as_str());
        }
        for name in &names {
            assert!(hosts.remove(name).is_some());
        }
    }
    assert_eq!((keys(&hosts), hosts.snapshot().evicted_for_capacity), (vec![String::from("a")], 0));
}
