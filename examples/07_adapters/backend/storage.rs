use std::future::Future;

use super::{Answer, Faults, Table};

/// Volumes and their snapshots.
pub trait Storage: Send + Sync {
    /// The kind of this backend.
    fn kind(&self) -> &'static str;
    fn create(&self, name: &str) -> impl Future<Output = Answer<()>> + Send;
    /// Takes a snapshot of a volume, and returns how many there are. This is slow.
    fn snapshot(&self, name: &str) -> impl Future<Output = Answer<u32>> + Send;
    fn delete(&self, name: &str) -> impl Future<Output = Answer<()>> + Send;
    /// Whether the backend is reachable.
    fn ping(&self) -> impl Future<Output = Answer<()>> + Send;
}

#[derive(Default)]
pub struct MemoryStorage {
    faults: Faults,
    volumes: Table<u32>,
}

impl MemoryStorage {
    pub fn new(faults: Faults) -> MemoryStorage {
        MemoryStorage { faults, ..MemoryStorage::default() }
    }
}

impl Storage for MemoryStorage {
    fn kind(&self) -> &'static str {
        "memory"
    }

    async fn create(&self, name: &str) -> Answer<()> {
        self.faults.pass().await?;
        self.volumes.add(name, 0)
    }

    async fn snapshot(&self, name: &str) -> Answer<u32> {
        self.faults.pass().await?;
        self.volumes.change(name, |snapshots| {
            *snapshots += 1;
            *snapshots
        })
    }

    async fn delete(&self, name: &str) -> Answer<()> {
        self.faults.pass().await?;
        self.volumes.remove(name).map(drop)
    }

    async fn ping(&self) -> Answer<()> {
        self.faults.pass().await
    }
}
