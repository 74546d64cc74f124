use std::time::Duration;

use seaworthy::Name;
use seaworthy_store::sqlite::SqliteStore;

use super::engine::Sqlite;
use crate::job::Job;
use crate::queue::{Queue, QueueBuilder};

impl<M: Job> Queue<M, Sqlite> {
    /// A queue in a SQLite file, for the processes of one machine: what is accepted is on its disk. Queues of the same
    /// name in the same file are one. The tables are installed, or upgraded, with the first request, or by
    /// [`Sqlite::migrate`].
    ///
    /// ```
    /// use seaworthy_queue::sqlite::SqliteStore;
    /// use seaworthy_queue::{Job, Queue};
    ///
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Provision {
    ///     tenant: String,
    /// }
    ///
    /// impl Job for Provision {
    ///     const KIND: &str = "provision";
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let path = std::env::temp_dir().join(format!("seaworthy-queue-doc-{}.db", std::process::id()));
    /// let store = SqliteStore::open(&path).await?;
    /// let queue = Queue::sqlite("provisioning", &store).build()?;
    /// assert!(queue.enqueue(Provision { tenant: "acme".to_owned() }).await?.is_new());
    /// assert_eq!(queue.depth().await?.ready, 1);
    /// # store.close().await;
    /// # std::fs::remove_file(path)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn sqlite(name: impl Into<Name>, store: &SqliteStore) -> QueueBuilder<M, Sqlite> {
        let name = name.into();
        Queue::with_store(name.clone(), Sqlite::new(name, store))
    }
}

impl<M> QueueBuilder<M, Sqlite> {
    /// How often a consumer that waits looks into the file, if nothing wakes it earlier. Default 200 ms; 10 ms to 1
    /// min.
    ///
    /// What wakes it is a job of this process. Those of other processes are found by a look, and so are those that
    /// become due: this much later at most.
    pub fn poll(self, every: Duration) -> QueueBuilder<M, Sqlite> {
        self.polling(every, |engine| engine.poll = every)
    }
}
