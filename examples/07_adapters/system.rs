//! All five backends, each behind the policy of its name.

use std::error::Error;

use seaworthy::Policies;

use super::backend::{Faults, MemoryCompute, MemoryDns, MemoryLoadBalancer, MemoryNetwork, MemoryStorage};
use super::resilient::Resilient;

pub struct System {
    pub compute: Resilient<MemoryCompute>,
    pub network: Resilient<MemoryNetwork>,
    pub storage: Resilient<MemoryStorage>,
    pub dns: Resilient<MemoryDns>,
    pub lb: Resilient<MemoryLoadBalancer>,
    pub faults: AllFaults,
}

/// Sets how each backend treats its calls.
#[derive(Clone, Default)]
pub struct AllFaults {
    pub compute: Faults,
    pub network: Faults,
    pub storage: Faults,
    pub dns: Faults,
    pub lb: Faults,
}

impl System {
    /// With the policies from a file, or not at all.
    ///
    /// # Errors
    /// If the text is not valid, or lacks a policy or a class; the error names it.
    pub fn new(policies: &str) -> Result<System, Box<dyn Error + Send + Sync>> {
        let policies: Policies = toml::from_str(policies)?;
        let policy = |name| policies.get(name).cloned();
        let faults = AllFaults::default();
        Ok(System {
            compute: Resilient::new(MemoryCompute::new(faults.compute.clone()), policy("compute")?, &["long", "ping"])?,
            network: Resilient::new(MemoryNetwork::new(faults.network.clone()), policy("network")?, &["ping"])?,
            storage: Resilient::new(MemoryStorage::new(faults.storage.clone()), policy("storage")?, &["long", "ping"])?,
            dns: Resilient::new(MemoryDns::new(faults.dns.clone()), policy("dns")?, &[])?,
            lb: Resilient::new(MemoryLoadBalancer::new(faults.lb.clone()), policy("lb")?, &["long"])?,
            faults,
        })
    }
}
