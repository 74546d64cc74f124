use std::future::Future;

use super::{Answer, Faults, Table};

/// Names and the addresses behind them.
pub trait Dns: Send + Sync {
    /// Which kind of backend this is.
    fn kind(&self) -> &'static str;
    /// Sets a record, whether there was one or not.
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
