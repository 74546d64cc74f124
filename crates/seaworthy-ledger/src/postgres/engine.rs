use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use seaworthy_store::StoreError;
use seaworthy_store::postgres::{PackageStore, PgStore, Read};
use sqlx::postgres::PgArguments;

use crate::held_answer::Held;
use crate::key::Key;
use crate::postgres::statements::Statements;
use crate::postgres::{CALL, SCHEMA, claim, renew, settle, steps};
use crate::record::Entry;
use crate::store::{Answer, Attempt, Holder, LedgerStore, Renewal, Settlement, StepKept};

/// Keeps a ledger's rows in Postgres: they outlive the process, and any number of processes share them.
///
/// # Clone
/// Costs reference counts; clones share the connections.
#[derive(Clone)]
pub struct Postgres {
    pub(super) store: PackageStore,
    pub(super) statements: Arc<Statements>,
}

impl Postgres {
    /// Whether the tables are there is looked up at the first request, which is
    /// [`Refused`](seaworthy_store::ErrorClass::Refused) if [`migrate`](crate::postgres::migrate) has not been called;
    /// [`check`](Postgres::check) does it at once.
    #[must_use]
    pub fn new(store: &PgStore) -> Postgres {
        let statements = Arc::new(Statements::new(store.names()));
        Postgres { store: PackageStore::new(store, &SCHEMA, CALL), statements }
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
}

impl LedgerStore for Postgres {
    async fn claim(&self, attempt: &Attempt) -> Result<Answer, StoreError> {
        claim::claim(self, attempt).await
    }

    async fn renew(&self, leases: &[(Holder, Duration)]) -> Result<Vec<Renewal>, StoreError> {
        renew::renew(self, leases).await
    }

    async fn settle(&self, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
        settle::settle(self, holder, settlement).await
    }

    async fn lookup(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        claim::lookup(self, key).await
    }

    async fn sweep(&self, most: u32) -> Result<u64, StoreError> {
        let bind = |arguments: &mut PgArguments| sqlx::Arguments::add(arguments, i64::from(most));
        let found = self.store.rows("sweep", &self.statements.sweep, bind).await?;
        Read::first("sweep", &found)?.count("swept")
    }

    async fn stale(&self) -> Result<u64, StoreError> {
        let found = self.store.rows("stale", &self.statements.stale, |_| Ok(())).await?;
        Read::first("stale", &found)?.count("stale")
    }

    async fn step(&self, key: &Key, name: &str) -> Result<Option<Bytes>, StoreError> {
        steps::read(self, key, name).await
    }

    async fn keep_step(&self, holder: &Holder, name: &str, result: &Bytes) -> Result<StepKept, StoreError> {
        steps::keep(self, holder, name, result).await
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("store", &self.store).finish_non_exhaustive()
    }
}
