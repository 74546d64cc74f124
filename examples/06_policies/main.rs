//! Five backends behind five traits, each with a policy from one file, `examples/policies.toml`.
//!
//! `cargo run --features serde --example 06_policies`
#![allow(clippy::print_stdout, reason = "an example speaks")]

mod backends;
mod resilient;

use std::sync::Arc;

use seaworthy::{BoxError, Policies, Rejected, StackError};

use self::backends::{Compute, Dns, Lab, LoadBalancer, Network, Storage};
use self::resilient::Resilient;

// On a paused clock, so that nobody has to wait for what takes 10 s below.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), BoxError> {
    let policies: Policies = toml::from_str(include_str!("../policies.toml"))?;
    for policy in policies.iter() {
        let (slots, timeout) = (policy.slots().map(|slots| slots.limit()), policy.timeout());
        println!("{:<8} slots: {slots:?}, timeout: {timeout:?}", policy.name());
    }

    // In a real program each of them is a client of its own.
    let lab = Arc::new(Lab::default());
    let compute = Resilient::new(Arc::clone(&lab), &policies, "compute")?;
    let network = Resilient::new(Arc::clone(&lab), &policies, "network")?;
    let storage = Resilient::new(Arc::clone(&lab), &policies, "storage")?;
    let dns = Resilient::new(Arc::clone(&lab), &policies, "dns")?;
    let balancer = Resilient::new(Arc::clone(&lab), &policies, "lb")?;

    println!("-- all is well");
    println!("{}", compute.create("vm-1").await?);
    println!("{}", network.attach("vm-1").await?);
    println!("{}", storage.snapshot("disk-1").await?);
    println!("{}", dns.resolve("vm-1.example").await?);
    println!("{}", balancer.drain("vm-1").await?);

    println!("-- compute fails");
    lab.fail(true);
    for _ in 0..5 {
        let error = compute.create("vm-2").await.err().ok_or("the backend fails")?;
        println!("{error}");
    }
    // The circuit is open: neither a call nor a ping goes out.
    let calls = lab.calls();
    for answer in [compute.create("vm-2").await.err(), Compute::ping(&compute).await.err()] {
        let error = answer.ok_or("the circuit is open")?;
        println!("{error}");
        assert!(matches!(error.rejected(), Some(Rejected::CircuitOpen { .. })));
    }
    assert_eq!(lab.calls(), calls);

    println!("-- the others do not mind");
    lab.fail(false);
    println!("{}", network.attach("vm-2").await?);
    println!("{}", storage.snapshot("disk-2").await?);

    println!("-- every slot of the network is taken: a ping passes all the same");
    let slots = network.policy().slots().ok_or("the file says so")?;
    let _taken = (0..slots.limit()).map(|_| slots.try_take()).collect::<Result<Vec<_>, _>>()?;
    Network::ping(&network).await?;
    let error = network.attach("vm-3").await.err().ok_or("there is no slot")?;
    println!("{error}");
    Ok(())
}
