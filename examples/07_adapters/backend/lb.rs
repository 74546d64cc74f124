use std::future::Future;

use super::{Answer, Faults, Table};

/// Load balancers and their targets.
pub trait LoadBalancer: Send + Sync {
    /// The kind of this backend.
    fn kind(&self) -> &'static str;
    /// Creates a load balancer. This is slow.
    fn create(&self, name: &str) -> impl Future<Output = Answer<()>> + Send;
    fn add_target(&self, name: &str, address: &str) -> impl Future<Output = Answer<()>> + Send;
    fn targets(&self, name: &str) -> impl Future<Output = Answer<Vec<String>>> + Send;
    fn delete(&self, name: &str) -> impl Future<Output = Answer<()>> + Send;
}

#[derive(Default)]
pub struct MemoryLoadBalancer {
    faults: Faults,
    balancers: Table<Vec<String>>,
}

impl MemoryLoadBalancer {
    pub fn new(faults: Faults) -> MemoryLoadBalancer {
        MemoryLoadBalancer { faults, ..MemoryLoadBalancer::default() }
    }
}

impl LoadBalancer for MemoryLoadBalancer {
    fn kind(&self) -> &'static str {
        "memory"
    }

    async fn create(&self, name: &str) -> Answer<()> {
        self.faults.pass().await?;
        self.balancers.add(name, Vec::new())
    }

    async fn add_target(&self, name: &str, address: &str) -> Answer<()> {
        self.faults.pass().await?;
        self.balancers.change(name, |targets| targets.push(address.to_owned()))
    }

    async fn targets(&self, name: &str) -> Answer<Vec<String>> {
        self.faults.pass().await?;
        self.balancers.get(name)
    }

    async fn delete(&self, name: &str) -> Answer<()> {
        self.faults.pass().await?;
        self.balancers.remove(name).map(drop)
    }
}
