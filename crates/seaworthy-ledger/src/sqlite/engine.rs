use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use seaworthy_store::StoreError;
use seaworthy_store::micros;
use seaworthy_store::sqlite::{Lease, PackageStore, SqliteStore, classified};
use sqlx::sqlite::SqliteConnection;
use sqlx::{query, query_as, query_scalar};

use crate::held_answer::Held;
use crate::key::Key;
use crate::record::Entry;
use crate::sqlite::row::{RUNNING, entry_state, number};
use crate::sqlite::settling::{fence, owner, settle, state_of};
use crate::sqlite::statements::{SCHEMA, Statements};
use crate::store::{Answer, Attempt, Holder, LedgerStore, Renewal, Settlement, StepKept};

/// A ledger's rows in a SQLite file.
///
/// # Clone
/// Costs three reference counts; clones have the same rows.
#[derive(Clone)]
pub struct Sqlite {
    pub(crate) store: PackageStore,
    pub(crate) statements: Arc<Statements>,
}

/// The columns of `lookup.sql`, in its order.
type LookupColumns = (i64, i64, i64, i64, i64, i64, Option<i64>, i64, Option<String>, Option<i64>);

impl Sqlite {
    /// The tables are installed, or upgraded, with the first request; [`migrate`](Sqlite::migrate) does it at once.
    #[must_use]
    pub fn new(store: &SqliteStore) -> Sqlite {
        let statements = Arc::new(Statements::new(store.tables()));
        Sqlite { store: PackageStore::new(store, &SCHEMA), statements }
    }

    /// Installs or upgrades the ledger's tables in the file, if they are not as this program needs them. Any number of
    /// processes may do so at once.
    ///
    /// # Errors
    /// As [`SqliteStore::migrate`].
    ///
    /// # Cancellation
    /// Dropping it leaves the tables as they were, or as they were to be.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.store.prepare().await
    }

    async fn renewed(&self, leases: &[(Holder, Duration)]) -> Result<Vec<Renewal>, StoreError> {
        let mut writing = self.store.writing("renew").await?;
        let now = self.store.now();
        let mut answers = Vec::with_capacity(leases.len());
        for (holder, length) in leases {
            let lease = Lease::starting(now, *length);
            let renewed = query(self.statements.renew.clone())
                .bind(holder.key.scope())
                .bind(holder.key.value())
                .bind(fence(holder))
                .bind(owner(holder.owner))
                .bind(lease.from)
                .bind(lease.until)
                .execute(writing.connection())
                .await
                .map_err(|error| classified("renew", error))?;
            answers.push(if renewed.rows_affected() == 1 { Renewal::Renewed } else { Renewal::Lost });
        }
        writing.commit().await?;
        Ok(answers)
    }

    async fn looked_up(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        let mut reading = self.store.reading("lookup").await?;
        let columns: Option<LookupColumns> = query_as(self.statements.lookup.clone())
            .bind(key.scope())
            .bind(key.value())
            .fetch_optional(reading.connection())
            .await
            .map_err(|error| classified("lookup", error))?;
        reading.done();
        let Some((fence, state, from, until, first, started, finished, grants, reason, length)) = columns else {
            return Ok(None);
        };
        let state = entry_state(state, Lease { from, until }, self.store.now())?;
        let (fence, grants) = (number("lookup", fence)?, number("lookup", grants)?);
        let mut entry = Entry::new(state, fence, grants, micros::moment(first), micros::moment(started));
        entry.finished_at = finished.map(micros::moment);
        entry.reason = reason.map(Into::into);
        entry.result_len = length.map(|length| number("lookup", length)).transpose()?;
        Ok(Some(entry))
    }

    async fn swept(&self, most: u32) -> Result<u64, StoreError> {
        let mut writing = self.store.writing("sweep").await?;
        let swept = query(self.statements.sweep.clone())
            .bind(self.store.now())
            .bind(most)
            .execute(writing.connection())
            .await
            .map_err(|error| classified("sweep", error))?;
        writing.commit().await?;
        Ok(swept.rows_affected())
    }

    async fn count_stale(&self) -> Result<u64, StoreError> {
        let mut reading = self.store.reading("stale").await?;
        let count: i64 = query_scalar(self.statements.stale.clone())
            .bind(self.store.now())
            .fetch_one(reading.connection())
            .await
            .map_err(|error| classified("stale", error))?;
        reading.done();
        number("stale", count)
    }

    async fn read_step(
        &self,
        key: &Key,
        name: &str,
        connection: &mut SqliteConnection,
    ) -> Result<Option<Bytes>, StoreError> {
        let result: Option<Vec<u8>> = query_scalar(self.statements.step.clone())
            .bind(key.scope())
            .bind(key.value())
            .bind(name)
            .fetch_optional(connection)
            .await
            .map_err(|error| classified("step", error))?;
        Ok(result.map(Bytes::from))
    }

    async fn kept_step(&self, holder: &Holder, name: &str, result: &Bytes) -> Result<StepKept, StoreError> {
        let failed = |error| classified("step", error);
        let mut writing = self.store.writing("step").await?;
        let state = state_of(&self.statements, writing.connection(), holder).await.map_err(failed)?;
        let stored = if state == Some(RUNNING) {
            query(self.statements.keep_step.clone())
                .bind(holder.key.scope())
                .bind(holder.key.value())
                .bind(name)
                .bind(&**result)
                .execute(writing.connection())
                .await
                .map_err(failed)?;
            self.read_step(&holder.key, name, writing.connection()).await?
        } else {
            None
        };
        writing.commit().await?;
        Ok(stored.map_or(StepKept::Lost, StepKept::Stored))
    }
}

impl LedgerStore for Sqlite {
    async fn claim(&self, attempt: &Attempt) -> Result<Answer, StoreError> {
        self.store.ask("claim", self.claimed(attempt)).await
    }

    async fn renew(&self, leases: &[(Holder, Duration)]) -> Result<Vec<Renewal>, StoreError> {
        self.store.ask("renew", self.renewed(leases)).await
    }

    async fn settle(&self, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
        let settled = async {
            let mut writing = self.store.writing("settle").await?;
            let now = self.store.now();
            let held = settle(&self.statements, writing.connection(), holder, settlement, now).await;
            let held = held.map_err(|error| classified("settle", error))?;
            writing.commit().await?;
            Ok(held)
        };
        self.store.ask("settle", settled).await
    }

    async fn lookup(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.store.ask("lookup", self.looked_up(key)).await
    }

    async fn sweep(&self, most: u32) -> Result<u64, StoreError> {
        self.store.ask("sweep", self.swept(most)).await
    }

    async fn stale(&self) -> Result<u64, StoreError> {
        self.store.ask("stale", self.count_stale()).await
    }

    async fn step(&self, key: &Key, name: &str) -> Result<Option<Bytes>, StoreError> {
        let read = async {
            let mut reading = self.store.reading("step").await?;
            let stored = self.read_step(key, name, reading.connection()).await?;
            reading.done();
            Ok(stored)
        };
        self.store.ask("step", read).await
    }

    async fn keep_step(&self, holder: &Holder, name: &str, result: &Bytes) -> Result<StepKept, StoreError> {
        self.store.ask("step", self.kept_step(holder, name, result)).await
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("store", &self.store).finish_non_exhaustive()
    }
}
