use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use seaworthy::Name;
use seaworthy_store::postgres::{Bell, PackageStore, PgStore, Read};
use seaworthy_store::{StoreError, micros};
use sqlx::Arguments;
use sqlx::postgres::PgArguments;

use crate::job_id::JobId;
use crate::postgres::settle::Ack;
use crate::postgres::statements::Statements;
use crate::postgres::waking::{POLL, Waking};
use crate::postgres::{CALL, SCHEMA, enqueue, settle};
use crate::store::{Cancelled, Depth, Entry, Held, Holder, NewJob, Producer, Received, Settlement, Source, Take};
use crate::together::Together;

/// Keeps the jobs of one queue in Postgres, by its clock: they are for processes on any number of machines.
///
/// # Clone
/// Costs reference counts; clones share the connections.
#[derive(Clone)]
pub struct Postgres {
    name: Name,
    /// What is told when there may be something to do.
    notice: Arc<str>,
    pub(super) store: PackageStore,
    pub(super) statements: Arc<Statements>,
    pub(super) bell: Bell,
    pub(super) waking: Arc<Waking>,
    pub(super) poll: Duration,
    pub(super) acks: Arc<Together<Ack, Held>>,
}

/// What is told is at most 8,000 bytes long.
const LONGEST_NAME: usize = 1_000;

impl Postgres {
    /// The queue of this name. Whether the tables are there is looked up at the first request, which is
    /// [`Refused`](seaworthy_store::ErrorClass::Refused) if [`migrate`](crate::postgres::migrate) has not been called;
    /// [`check`](Postgres::check) does it at once.
    #[must_use]
    pub fn new(name: impl Into<Name>, store: &PgStore) -> Postgres {
        let name = name.into();
        let cut = &name.as_str()[..name.as_str().floor_char_boundary(LONGEST_NAME)];
        // Without the schema, which some name and others find by their search path.
        let notice: Arc<str> = format!("{}{cut}", store.names().fill("{i}job ")).into();
        Postgres {
            bell: store.bell(&notice),
            name,
            notice,
            store: PackageStore::new(store, &SCHEMA, CALL),
            statements: Arc::new(Statements::new(store.names())),
            waking: Arc::default(),
            poll: POLL,
            acks: Arc::default(),
        }
    }

    /// Looks whether the tables are there, and new enough.
    ///
    /// # Errors
    /// [`Refused`](seaworthy_store::ErrorClass::Refused) if not, and says what to call;
    /// [`Unavailable`](seaworthy_store::ErrorClass::Unavailable) if the server did not answer.
    ///
    /// # Cancellation
    /// Dropping it loses nothing.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.store.check("connect").await
    }

    pub(super) fn name(&self) -> &str {
        self.name.as_str()
    }

    pub(super) fn notice(&self) -> &str {
        &self.notice
    }

    /// Tells those in this process who wait.
    pub(super) fn changed(&self) {
        self.bell.ring();
    }
}

impl Producer for Postgres {
    async fn enqueue(&self, jobs: &[NewJob], max_len: Option<u64>) -> Result<Vec<Entry>, StoreError> {
        enqueue::enqueue(self, jobs, max_len).await
    }

    async fn cancel(&self, id: &JobId) -> Result<Cancelled, StoreError> {
        enqueue::cancel(self, id).await
    }
}

impl Source for Postgres {
    async fn receive(&self, take: &Take, block: Duration) -> Result<Received, StoreError> {
        self.wait_and_take(take, block).await
    }

    async fn extend(&self, holders: &[Holder], visibility: Duration) -> Result<Vec<Held>, StoreError> {
        settle::extend(self, holders, visibility).await
    }

    async fn settle(&self, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
        settle::settle(self, holder, settlement).await
    }

    async fn depth(&self) -> Result<Depth, StoreError> {
        let bind = |arguments: &mut PgArguments| arguments.add(self.name());
        let rows = self.store.rows("depth", &self.statements.depth, bind).await?;
        let read = Read::first("depth", &rows)?;
        Ok(Depth {
            ready: read.count("ready")?,
            later: read.count("later")?,
            running: read.count("running")?,
            dead: read.count("dead")?,
            oldest_ready: micros::span(read.get("oldest_us")?),
        })
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("name", &self.name).field("store", &self.store).finish_non_exhaustive()
    }
}
