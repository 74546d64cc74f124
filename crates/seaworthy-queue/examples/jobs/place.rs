//! Where the jobs are. Another kind of store is one more here, and nowhere else.

use std::path::{Path, PathBuf};

use seaworthy::BoxError;
use seaworthy_queue::sqlite::SqliteStore;
use seaworthy_queue::{JobId, Queue, QueueBuilder};

use super::Role;
use super::job::Provision;

/// How a process of this program is told where the jobs are.
pub struct Place {
    store: Store,
    /// A new one for each run, so that what an earlier one has left is not counted.
    queue: String,
}

enum Store {
    Sqlite(PathBuf),
}

impl Place {
    /// `[--sqlite FILE] [--worker QUEUE]`, or a file of its own, which goes when it ends.
    pub fn from_arguments(arguments: &[String]) -> Result<(Place, Role), BoxError> {
        let mut store = None;
        let (mut queue, mut role) = (format!("jobs-{}", JobId::unique()), Role::Parent);
        for pair in arguments.chunks(2) {
            match pair {
                [name, file] if name == "--sqlite" => store = Some(Store::Sqlite(file.into())),
                [name, of] if name == "--worker" => (queue, role) = (of.clone(), Role::Worker),
                _ => return Err("usage: jobs [--sqlite FILE]".into()),
            }
        }
        let own = || std::env::temp_dir().join(format!("seaworthy-{queue}")).join("jobs.db");
        let store = store.unwrap_or_else(|| Store::Sqlite(own()));
        Ok((Place { store, queue }, role))
    }

    /// What a worker is started with.
    pub fn arguments(&self) -> Result<[&str; 4], BoxError> {
        let Store::Sqlite(file) = &self.store;
        let file = file.to_str().ok_or("a file whose name is no text")?;
        Ok(["--sqlite", file, "--worker", &self.queue])
    }

    pub async fn run(&self, role: Role) -> Result<(), BoxError> {
        match &self.store {
            Store::Sqlite(file) => {
                let _directory = self.own_directory(file, &role)?;
                let store = SqliteStore::open(file).await?;
                let ended = role.run(settings(Queue::sqlite(self.queue.clone(), &store)).build()?, self).await;
                store.close().await;
                ended
            }
        }
    }

    fn own_directory(&self, file: &Path, role: &Role) -> Result<Option<Directory>, BoxError> {
        match file.parent() {
            Some(parent) if matches!(role, Role::Parent) && parent.ends_with(format!("seaworthy-{}", self.queue)) => {
                std::fs::create_dir(parent)?;
                Ok(Some(Directory(parent.to_owned())))
            }
            _ => Ok(None),
        }
    }
}

/// A short time, so that a short visibility will do.
fn settings<S>(queue: QueueBuilder<Provision, S>) -> QueueBuilder<Provision, S> {
    queue.request_timeout(std::time::Duration::from_millis(600))
}

/// It goes with this value.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}
