//! A policy around every method of five backends, from a file: `../policies.toml`.
//!
//!     cargo run --release --all-features --example 07_adapters
//!
//! `backend/` has the traits and the stand-ins for real backends; `resilient/` is the part to copy. The times in the
//! file are those of a real system, so the clock is paused and jumps to whatever is awaited next. Everything printed is
//! asserted.
#![allow(clippy::print_stdout, reason = "an example speaks")]
#![allow(clippy::disallowed_methods, reason = "it looks at the clock that it paused")]

mod backend;
mod resilient;
mod system;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use backend::{Answer, BackendError, Compute, Dns, Fault, LoadBalancer, Network, Storage};
use seaworthy::{BoxError, Rejected, StackError, State};
use system::System;
use tokio::task::JoinSet;
use tokio::time::{Instant, advance};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), BoxError> {
    let system = System::new(include_str!("../policies.toml"))?;
    println!(
        "backends: {}\n",
        [system.compute.kind(), system.network.kind(), system.storage.kind(), system.dns.kind(), system.lb.kind(),]
            .join(", ")
    );
    all_is_well(&system).await?;
    the_wrong_question(&system).await;
    a_dead_backend(&system).await;
    a_hung_backend(&system).await;
    let system = a_saturated_backend(Arc::new(system)).await?;
    a_stream(&system).await?;
    the_end(system).await?;
    println!("\nEvery claim held.");
    Ok(())
}

/// Prints the outcome of a call and how long it took.
async fn tell<T>(what: &str, call: impl Future<Output = Answer<T>>) -> Answer<T> {
    let start = Instant::now();
    let answer = call.await;
    let outcome = match &answer {
        Ok(_) => "done".to_owned(),
        // The rejection is the source, and is not repeated in the text.
        Err(error) => error.rejected().map_or_else(|| error.to_string(), ToString::to_string),
    };
    println!("  {what:<34} {outcome} ({:?})", start.elapsed());
    answer
}

async fn all_is_well(system: &System) -> Result<(), BoxError> {
    println!("all is well");
    let instance = tell("create an instance", system.compute.create("web-1")).await?;
    tell("create a network", system.network.create("front")).await?;
    tell("attach it", system.network.attach("front", &instance.name)).await?;
    tell("create a volume", system.storage.create("data")).await?;
    tell("take a snapshot", system.storage.snapshot("data")).await?;
    tell("create a load balancer", system.lb.create("web")).await?;
    tell("add a target", system.lb.add_target("web", &instance.address)).await?;
    tell("set a name", system.dns.set("web.example", &instance.address)).await?;
    assert_eq!(system.dns.look_up("web.example").await?, instance.address);
    Ok(())
}

/// A backend that says no is well: this never opens a circuit.
async fn the_wrong_question(system: &System) {
    println!("\nten requests for something that does not exist");
    for _ in 0..9 {
        assert!(matches!(system.compute.get("web-2").await, Err(BackendError::NotFound(_))));
    }
    assert!(matches!(tell("get an instance", system.compute.get("web-2")).await, Err(BackendError::NotFound(_))));
    assert_eq!(
        system.compute.policy().circuit_breaker().map(|circuit_breaker| circuit_breaker.state()),
        Some(State::Closed)
    );
}

async fn a_dead_backend(system: &System) {
    println!("\ndns fails");
    system.faults.dns.set(Fault::Fail);
    for _ in 0..5 {
        assert!(matches!(tell("look up", system.dns.look_up("web.example")).await, Err(BackendError::Down)));
    }
    let calls = system.faults.dns.calls();
    assert!(is_open(&tell("look up", system.dns.look_up("web.example")).await));
    assert_eq!(system.faults.dns.calls(), calls, "the backend is left alone");

    println!("it heals, and 30 s after it opened, the circuit lets a probe through");
    system.faults.dns.set(Fault::None);
    advance(Duration::from_secs(30)).await;
    for _ in 0..2 {
        assert!(tell("look up", system.dns.look_up("web.example")).await.is_ok());
    }
    assert_eq!(
        system.dns.policy().circuit_breaker().map(|circuit_breaker| circuit_breaker.state()),
        Some(State::Closed)
    );
}

async fn a_hung_backend(system: &System) {
    println!("\nstorage hangs; slow operations have longer timeouts");
    system.faults.storage.set(Fault::Hang);
    assert_eq!(timed_out(&tell("create a volume", system.storage.create("more")).await), Some(30));
    assert_eq!(timed_out(&tell("take a snapshot", system.storage.snapshot("data")).await), Some(5 * 60));
    assert_eq!(timed_out(&tell("ping", system.storage.ping()).await), Some(5));
    for _ in 0..2 {
        assert_eq!(timed_out(&system.storage.delete("data").await), Some(30));
    }
    assert!(is_open(&tell("ping", system.storage.ping()).await), "the ping got past the circuit");
    assert!(tell("the network, meanwhile", system.network.ping()).await.is_ok());
}

async fn a_saturated_backend(system: Arc<System>) -> Result<Arc<System>, BoxError> {
    println!("\ncompute is slow, with twenty calls in flight");
    system.faults.compute.set(Fault::Slow(Duration::from_secs(60)));
    let mut held = JoinSet::new();
    for _ in 0..20 {
        let system = Arc::clone(&system);
        held.spawn(async move { system.compute.list().await });
    }
    tokio::task::yield_now().await;
    let full = tell("one more waits for a permit", system.compute.list()).await;
    assert!(matches!(full, Err(BackendError::Rejected(Rejected::BulkheadFull { .. }))));
    system.faults.compute.set(Fault::None);
    assert!(tell("a ping takes no permit", system.compute.ping()).await.is_ok());
    assert!(tell("the network, meanwhile", system.network.members("front")).await.is_ok());
    for answer in held.join_all().await {
        assert_eq!(answer?, ["web-1"]);
    }
    assert!(tell("one more, when they are done", system.compute.list()).await.is_ok());
    Ok(system)
}

async fn a_stream(system: &System) -> Result<(), BoxError> {
    println!("\na log is read for an hour, and holds its permit for as long");
    let in_use = || system.compute.policy().bulkhead().map(|bulkhead| bulkhead.in_use());
    let mut logs = tell("open the log", system.compute.logs("web-1")).await?;
    assert_eq!(in_use(), Some(1));
    for minute in [1, 59] {
        advance(Duration::from_secs(minute * 60)).await;
        assert_eq!(system.compute.get_ref().write("web-1", "still here").await, 1);
        println!("  read: {:?}", logs.next().await);
    }
    drop(logs);
    assert_eq!((in_use(), system.compute.get_ref().write("web-1", "anybody?").await), (Some(0), 0));
    println!("  dropped: the permit is free, and there are no readers");
    Ok(())
}

/// Tears everything down, once storage has healed.
async fn the_end(system: Arc<System>) -> Result<(), BoxError> {
    println!("\neverything is torn down");
    system.faults.storage.set(Fault::None);
    tell("delete the load balancer", system.lb.delete("web")).await?;
    tell("remove the name", system.dns.remove("web.example")).await?;
    tell("delete the volume", system.storage.delete("data")).await?;
    tell("delete the network", system.network.delete("front")).await?;
    tell("delete the instance", system.compute.delete("web-1")).await?;
    assert!(matches!(system.lb.targets("web").await, Err(BackendError::NotFound(_))));
    // Without its policy, a backend is what it was.
    let system = Arc::into_inner(system).ok_or("the system is still in use")?;
    assert!(system.compute.into_inner().list().await?.is_empty());
    Ok(())
}

fn is_open<T>(answer: &Answer<T>) -> bool {
    matches!(answer, Err(BackendError::Rejected(Rejected::CircuitOpen { .. })))
}

/// The timeout, in seconds, if the call timed out.
fn timed_out<T>(answer: &Answer<T>) -> Option<u64> {
    match answer {
        Err(BackendError::Rejected(Rejected::TimedOut { after, .. })) => Some(after.get().as_secs()),
        _ => None,
    }
}
