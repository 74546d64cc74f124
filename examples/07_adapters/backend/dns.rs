use std::future::Future;

use super::{Answer, Faults, Table};

/// Names and their addresses.
pub trait Dns: Send + Sync {
    /// The kind of this backend.
    fn kind(&self) -> &'static str;
    /// Sets a record, or replaces it.
    fn set(&self, name: &str, address: &str) -> impl Future<Output = Answer<()>> + Send;
    fn look_up(&self, name: &str) -> impl Future<Output = Answer<String>> + Send;
    fn remove(&self, name: &str) -> impl Future<Output = Answer<()>> + Send;
}

#[derive(Default)]
pub struct MemoryDns {
    faults: Faults,
    records: Table<String>,
}

impl MemoryDns {
    pub fn new(faults: Faults) -> MemoryDns {
        MemoryDns { faults, ..MemoryDns::default() }
    }
}

impl Dns for MemoryDns {
    fn kind(&self) -> &'static str {
        "memory"
    }

    async fn set(&self, name: &str, address: &str) -> Answer<()> {
        self.faults.pass().await?;
        self.records.rows().insert(name.to_owned(), address.to_owned());
        Ok(())
    }

    async fn look_up(&self, name: &str) -> Answer<String> {
        self.faults.pass().await?;
        self.records.get(name)
    }

    async fn remove(&self, name: &str) -> Answer<()> {
        self.faults.pass().await?;
        self.records.remove(name).map(drop)
    }
}
