//! The adapters of example 07, with the policies of its file.
#![allow(clippy::disallowed_methods, reason = "the example looks at the clock that it paused")]

#[path = "../../../examples/07_adapters/backend/mod.rs"]
pub mod backend;
#[path = "../../../examples/07_adapters/resilient/mod.rs"]
pub mod resilient;
#[path = "../../../examples/07_adapters/system.rs"]
mod system;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use backend::{Answer, BackendError, Compute, Dns, Fault, LoadBalancer, Network, Storage};
use seaworthy::{Policy, Rejected, State};
use system::System;
use tokio::task::JoinSet;

use crate::support::{SECOND, advance, now};

const FILE: &str = include_str!("../../../examples/policies.toml");

fn system() -> Arc<System> {
    Arc::new(System::new(FILE).unwrap())
}

fn state(policy: &Policy) -> State {
    policy.circuit_breaker().unwrap().state()
}

fn is_open<T>(answer: &Answer<T>) -> bool {
    matches!(answer, Err(BackendError::Rejected(Rejected::CircuitOpen { .. })))
}

fn is_full<T>(answer: &Answer<T>) -> bool {
    matches!(answer, Err(BackendError::Rejected(Rejected::BulkheadFull { .. })))
}

/// How long until a call that hangs times out.
async fn patience<T>(call: impl Future<Output = Answer<T>>) -> Duration {
    let start = now();
    let answer = call.await;
    let Err(BackendError::Rejected(Rejected::TimedOut { after, .. })) = answer else { panic!("it did not time out") };
    let after = after.get();
    assert_eq!(now() - start, after);
    after
}

/// PO-07: the timeouts of each backend, usual, long and for pings.
#[tokio::test(start_paused = true)]
async fn po_07_timeouts() {
    let (minute, system) = (60 * SECOND, system());
    let faults = &system.faults;
    for faults in [&faults.compute, &faults.network, &faults.storage, &faults.dns, &faults.lb] {
        faults.set(Fault::Hang);
    }
    assert_eq!(patience(system.compute.get("x")).await, 2 * minute);
    assert_eq!(patience(system.compute.create("x")).await, 10 * minute);
    assert_eq!(patience(system.compute.logs("x")).await, 2 * minute, "to open the stream");
    assert_eq!(patience(system.compute.ping()).await, 5 * SECOND);
    assert_eq!(patience(system.network.attach("x", "y")).await, 30 * SECOND);
    assert_eq!(patience(system.network.ping()).await, 5 * SECOND);
    assert_eq!(patience(system.storage.create("x")).await, 30 * SECOND);
    assert_eq!(patience(system.storage.snapshot("x")).await, 5 * minute);
    assert_eq!(patience(system.storage.ping()).await, 5 * SECOND);
    assert_eq!(patience(system.dns.look_up("x")).await, 10 * SECOND);
    assert_eq!(patience(system.lb.add_target("x", "y")).await, 30 * SECOND);
    assert_eq!(patience(system.lb.create("x")).await, 2 * minute);
}

/// PO-07, PO-05: each opens after 5 failures, stays open for 30 s and closes after 2 successes; nothing is tried twice.
#[tokio::test(start_paused = true)]
async fn po_07_circuits() {
    let system = system();
    let faults = system.faults.clone();
    macro_rules! drill {
        ($backend:ident, $call:expr) => {
            faults.$backend.set(Fault::Fail);
            for calls in 1..=5 {
                assert_eq!(state(system.$backend.policy()), State::Closed);
                assert!(matches!($call.await, Err(BackendError::Down)));
                assert_eq!(faults.$backend.calls(), calls, "no call is tried again");
            }
            assert!(is_open(&$call.await));
            faults.$backend.set(Fault::None);
            advance(30 * SECOND - Duration::from_millis(1)).await;
            assert!(is_open(&$call.await), "29.999 s");
            assert_eq!(faults.$backend.calls(), 5, "the backend was left alone");
            advance(Duration::from_millis(1)).await;
            // It does not exist, which is an answer: the backend is well.
            assert!(!is_open(&$call.await));
            assert_eq!(state(system.$backend.policy()), State::HalfOpen, "one success of two");
            assert!(!is_open(&$call.await));
            assert_eq!(state(system.$backend.policy()), State::Closed);
        };
    }
    drill!(compute, system.compute.get("x"));
    drill!(network, system.network.members("x"));
    drill!(storage, system.storage.delete("x"));
    drill!(dns, system.dns.look_up("x"));
    drill!(lb, system.lb.targets("x"));
}

/// PO-07, RG-2: each bulkhead has its permits and its wait, a ping needs no permit but goes through the circuit
/// breaker, and a saturated compute leaves the network serving.
#[tokio::test(start_paused = true)]
async fn po_07_bulkheads() {
    let system = system();
    let faults = system.faults.clone();
    macro_rules! saturate {
        ($backend:ident, $bulkhead:literal, $call:expr) => {
            faults.$backend.set(Fault::Slow(20 * SECOND));
            let mut held = JoinSet::new();
            for _ in 0..$bulkhead {
                let system = Arc::clone(&system);
                held.spawn(async move {
                    let _ = system.$backend.delete("x").await;
                });
            }
            tokio::task::yield_now().await;
            assert_eq!(system.$backend.policy().bulkhead().unwrap().available(), 0);
            faults.$backend.set(Fault::None);
            let (calls, start) = (faults.$backend.calls(), now());
            assert!(is_full(&$call.await));
            assert_eq!((now() - start, faults.$backend.calls()), (10 * SECOND, calls), "it waited in vain");
            assert!(system.$backend.ping().await.is_ok(), "a ping takes no permit");
            assert_eq!(now() - start, 10 * SECOND, "and waits for none");
        };
    }
    saturate!(compute, 20, system.compute.get("x"));
    let start = now();
    assert!(!is_full(&system.network.members("x").await), "the network serves");
    assert_eq!(now(), start);
    saturate!(network, 15, system.network.members("x"));
    saturate!(storage, 10, system.storage.create("x"));
    assert!(system.dns.policy().bulkhead().is_none() && system.lb.policy().bulkhead().is_none());

    // A ping goes through the circuit breaker.
    system.compute.policy().circuit_breaker().unwrap().force_open();
    assert!(is_open(&system.compute.ping().await));
}

/// The stream of a log outlives its opening: no timeout ends it, it holds its permit to its end, and dropping it
/// cancels it.
#[tokio::test(start_paused = true)]
async fn a_stream_holds_its_slot() {
    let system = system();
    let bulkhead = system.compute.policy().bulkhead().unwrap();
    system.compute.create("web").await.unwrap();
    let mut logs = system.compute.logs("web").await.unwrap();
    assert_eq!(bulkhead.in_use(), 1);
    advance(3600 * SECOND).await;
    assert_eq!(system.compute.get_ref().write("web", "still here").await, 1);
    assert_eq!(logs.next().await.as_deref(), Some("still here"));
    assert_eq!(bulkhead.in_use(), 1);
    drop(logs);
    assert_eq!((bulkhead.in_use(), system.compute.get_ref().write("web", "anybody?").await), (0, 0));

    // It ends with the instance, and releases the permit even though the stream is still there.
    let mut logs = system.compute.logs("web").await.unwrap();
    assert_eq!(bulkhead.in_use(), 1);
    system.compute.delete("web").await.unwrap();
    assert_eq!(logs.next().await, None);
    assert_eq!(bulkhead.in_use(), 0);

    // An opening that fails holds nothing.
    assert!(matches!(system.compute.logs("web").await, Err(BackendError::NotFound(_))));
    assert_eq!(bulkhead.in_use(), 0);
}

/// RG-5: five circuits, one tripped: four serve.
#[tokio::test(start_paused = true)]
async fn rg_5_of_the_five_backends() {
    let system = system();
    system.faults.storage.set(Fault::Fail);
    for _ in 0..5 {
        let _ = system.storage.ping().await;
    }
    assert!(is_open(&system.storage.ping().await));
    assert!(system.compute.list().await.is_ok());
    assert!(system.network.create("front").await.is_ok());
    assert!(system.dns.set("web", "10.0.0.1").await.is_ok());
    assert!(system.lb.create("web").await.is_ok());
    assert!(system.lb.delete("web").await.is_ok());
}

/// What passes through: the kind, the backend itself, and the backend by value.
#[tokio::test(start_paused = true)]
async fn what_passes_through() {
    let Some(system) = Arc::into_inner(system()) else { panic!("nobody else has it") };
    let kinds =
        [system.compute.kind(), system.network.kind(), system.storage.kind(), system.dns.kind(), system.lb.kind()];
    assert_eq!(kinds, ["memory"; 5]);
    system.compute.policy().circuit_breaker().unwrap().force_open();
    assert!(is_open(&system.compute.list().await));
    assert!(system.compute.into_inner().list().await.is_ok(), "without its policy");
}

/// ER-08: a file that lacks a policy or a class is refused, and the error lists those there are.
#[test]
fn a_file_that_lacks_something() {
    let refusal = |file: &str| System::new(file).err().map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(refusal(FILE), "");
    let without_dns = FILE.split("[dns]").next().unwrap();
    assert_eq!(refusal(without_dns), "there is no policy `dns`; there are `compute`, `network`, `storage`");
    let without_long = FILE.replace("long = { timeout = \"10min\" }", "");
    assert_eq!(refusal(&without_long), "policy `compute` has no class `long`; there are `ping`");
}
