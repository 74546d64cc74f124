use std::future::Future;

use super::{Answer, Faults, Table};

/// Networks and their members.
pub trait Network: Send + Sync {
    /// The kind of this backend.
    fn kind(&self) -> &'static str;
    fn create(&self, name: &str) -> impl Future<Output = Answer<()>> + Send;
    /// Attaches an instance to a network. Doing it again changes nothing.
    fn attach(&self, name: &str, instance: &str) -> impl Future<Output = Answer<()>> + Send;
    fn members(&self, name: &str) -> impl Future<Output = Answer<Vec<String>>> + Send;
    fn delete(&self, name: &str) -> impl Future<Output = Answer<()>> + Send;
    /// Whether the backend is reachable.
    fn ping(&self) -> impl Future<Output = Answer<()>> + Send;
}

#[derive(Default)]
pub struct MemoryNetwork {
    faults: Faults,
    networks: Table<Vec<String>>,
}

impl MemoryNetwork {
    pub fn new(faults: Faults) -> MemoryNetwork {
        MemoryNetwork { faults, ..MemoryNetwork::default() }
    }
}

impl Network for MemoryNetwork {
    fn kind(&self) -> &'static str {
        "memory"
    }

    async fn create(&self, name: &str) -> Answer<()> {
        self.faults.pass().await?;
        self.networks.add(name, Vec::new())
    }

    async fn attach(&self, name: &str, instance: &str) -> Answer<()> {
        self.faults.pass().await?;
        self.networks.change(name, |members| {
            if !members.iter().any(|known| known == instance) {
                members.push(instance.to_owned());
            }
        })
    }

    async fn members(&self, name: &str) -> Answer<Vec<String>> {
        self.faults.pass().await?;
        self.networks.get(name)
    }

    async fn delete(&self, name: &str) -> Answer<()> {
        self.faults.pass().await?;
        self.networks.remove(name).map(drop)
    }

    async fn ping(&self) -> Answer<()> {
        self.faults.pass().await
    }
}
