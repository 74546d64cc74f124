use std::time::Duration;

use seaworthy::Name;
use seaworthy_store::postgres::PgStore;

use crate::job::Job;
use crate::postgres::engine::Postgres;
use crate::queue::{Queue, QueueBuilder};

impl<M: Job> Queue<M, Postgres> {
    /// A queue in Postgres: it outlives the process, and any number of processes share it under its name.
    ///
    /// Its tables have to be there: [`migrate`](crate::postgres::migrate) makes them. Without them the first request is
    /// [`Refused`](crate::ErrorClass::Refused) and says so, and so is
    /// [`queue.store().check()`](crate::postgres::Postgres::check), which a program calls when it starts.
    ///
    /// ```no_run
    /// use seaworthy_queue::postgres::{self, PgStore};
    /// use seaworthy_queue::{Job, Queue};
    ///
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct Mail { to: String }
    /// # impl Job for Mail { const KIND: &str = "mail"; }
    /// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = PgStore::connect("postgres://app@db.example/app").await?;
    /// postgres::migrate(&store).await?;
    /// let mails = Queue::postgres("mails", &store).build()?;
    /// mails.enqueue(Mail { to: "a@example.org".to_owned() }).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn postgres(name: impl Into<Name>, store: &PgStore) -> QueueBuilder<M, Postgres> {
        let name = name.into();
        let engine = Postgres::new(name.clone(), store);
        Queue::with_store(name, engine)
    }
}

impl<M> QueueBuilder<M, Postgres> {
    /// How often a consumer that waits asks the server, if nothing wakes it earlier. Default 1 s; 10 ms to 1 min.
    ///
    /// What wakes it is a job that is enqueued, by whichever process, where connections are direct; by this one alone
    /// behind a pooler.
    pub fn poll(self, every: Duration) -> QueueBuilder<M, Postgres> {
        self.polling(every, |engine| engine.poll = every)
    }
}
