use std::future::Future;

use seaworthy::bulkhead::Permit;
use tokio::sync::mpsc;

use super::{Answer, Faults, Table};

/// Virtual machines.
pub trait Compute: Send + Sync {
    /// The kind of this backend.
    fn kind(&self) -> &'static str;
    /// Creates an instance. This is slow.
    fn create(&self, name: &str) -> impl Future<Output = Answer<Instance>> + Send;
    fn get(&self, name: &str) -> impl Future<Output = Answer<Instance>> + Send;
    fn list(&self) -> impl Future<Output = Answer<Vec<String>>> + Send;
    fn delete(&self, name: &str) -> impl Future<Output = Answer<()>> + Send;
    /// Opens the log of an instance. The stream goes on until one side drops it.
    fn logs(&self, name: &str) -> impl Future<Output = Answer<Logs>> + Send;
    /// Whether the backend is reachable.
    fn ping(&self) -> impl Future<Output = Answer<()>> + Send;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    pub name: String,
    pub address: String,
}

/// The lines of a log, as they are written. Dropping it ends the stream.
#[derive(Debug)]
pub struct Logs {
    lines: mpsc::Receiver<String>,
    /// Held while the log is being read.
    permit: Option<Permit>,
}

impl Logs {
    fn new(lines: mpsc::Receiver<String>) -> Logs {
        Logs { lines, permit: None }
    }

    /// Holds a permit until the stream ends or is dropped.
    pub fn holding(self, permit: Option<Permit>) -> Logs {
        Logs { permit, ..self }
    }

    /// The next line; none at the end.
    pub async fn next(&mut self) -> Option<String> {
        let line = self.lines.recv().await;
        if line.is_none() {
            self.permit = None;
        }
        line
    }
}

#[derive(Default)]
pub struct MemoryCompute {
    faults: Faults,
    instances: Table<Instance>,
    /// The writers of logs, by instance.
    writers: Table<Vec<mpsc::Sender<String>>>,
}

impl MemoryCompute {
    pub fn new(faults: Faults) -> MemoryCompute {
        MemoryCompute { faults, ..MemoryCompute::default() }
    }

    /// Writes a line to an instance's log for all its readers, and returns how many there are.
    pub async fn write(&self, name: &str, line: &str) -> usize {
        let mut writers = self.writers.get(name).unwrap_or_default();
        let mut readers = 0;
        for writer in &writers {
            readers += usize::from(writer.send(line.to_owned()).await.is_ok());
        }
        writers.retain(|writer| !writer.is_closed());
        let _ = self.writers.change(name, |known| *known = writers);
        readers
    }
}

impl Compute for MemoryCompute {
    fn kind(&self) -> &'static str {
        "memory"
    }

    async fn create(&self, name: &str) -> Answer<Instance> {
        self.faults.pass().await?;
        let address = format!("10.0.0.{}", self.instances.names().len() + 1);
        let instance = Instance { name: name.to_owned(), address };
        self.instances.add(name, instance.clone())?;
        self.writers.add(name, Vec::new())?;
        Ok(instance)
    }

    async fn get(&self, name: &str) -> Answer<Instance> {
        self.faults.pass().await?;
        self.instances.get(name)
    }

    async fn list(&self) -> Answer<Vec<String>> {
        self.faults.pass().await?;
        Ok(self.instances.names())
    }

    async fn delete(&self, name: &str) -> Answer<()> {
        self.faults.pass().await?;
        self.writers.remove(name)?;
        self.instances.remove(name).map(drop)
    }

    async fn logs(&self, name: &str) -> Answer<Logs> {
        self.faults.pass().await?;
        let (writer, lines) = mpsc::channel(16);
        self.writers.change(name, |writers| writers.push(writer))?;
        Ok(Logs::new(lines))
    }

    async fn ping(&self) -> Answer<()> {
        self.faults.pass().await
    }
}
