use std::fmt;
use std::future::Future;
use std::pin::Pin;

use seaworthy::Name;
use seaworthy_store::sqlite::{SqliteStore, classified};
use seaworthy_store::{ErrorClass, StoreError};
use sqlx::sqlite::SqliteConnection;
use sqlx::{query, query_scalar};

use crate::epoch::Epoch;
use crate::epoch_memory::{EpochError, EpochMemory};
use crate::fence::StaleEpoch;
use crate::sqlite::engine::Sqlite;

/// Remembers the highest epoch of each name in a SQLite file, and refuses older ones: the side of the resource, over
/// restarts, and for all processes that have the file open.
///
/// An epoch that is the highest already takes no lock and writes nothing. Each request has the store's limit of time.
///
/// ```
/// use seaworthy_leader::Epoch;
/// use seaworthy_leader::sqlite::{SqliteEpochs, SqliteStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::env::temp_dir().join(format!("seaworthy-epochs-doc-{}.db", std::process::id()));
/// let store = SqliteStore::open(&path).await?;
/// let epochs = SqliteEpochs::on(&store);
/// epochs.accept("scheduler", Epoch::new(7)).await?;
/// epochs.accept("scheduler", Epoch::new(7)).await?;
/// assert!(epochs.accept("scheduler", Epoch::new(6)).await.is_err_and(|error| error.is_stale()));
/// # store.close().await;
/// # std::fs::remove_file(path)?;
/// # Ok(())
/// # }
/// ```
///
/// # Clone
/// Costs three reference counts; clones remember the same.
#[derive(Clone)]
pub struct SqliteEpochs(Sqlite);

impl SqliteEpochs {
    /// In this file. Its table is installed with the first request, or by [`Sqlite::migrate`].
    #[must_use]
    pub fn on(store: &SqliteStore) -> SqliteEpochs {
        SqliteEpochs(Sqlite::new(store))
    }

    /// Accepts an epoch that is as high as the highest before, or higher.
    ///
    /// # Errors
    /// [`EpochError::Stale`] if it is lower; nothing has changed then. [`EpochError::Store`] if the file cannot be
    /// asked, or the epoch is beyond what a row can have, which is an `i64`.
    ///
    /// # Cancellation
    /// Dropping it leaves the highest as it was, or as it was to be.
    pub async fn accept(&self, name: impl Into<Name>, epoch: Epoch) -> Result<(), EpochError> {
        let name = name.into();
        match self.0.store.ask("epoch", self.newest_after(&name, epoch)).await? {
            newest if newest > epoch => Err(EpochError::Stale(StaleEpoch { epoch, newest })),
            _ => Ok(()),
        }
    }

    /// The highest that was accepted.
    ///
    /// # Errors
    /// If the file cannot be asked.
    ///
    /// # Cancellation
    /// Dropping it loses nothing.
    pub async fn newest(&self, name: &str) -> Result<Option<Epoch>, StoreError> {
        self.0.store.ask("epoch", self.looked(name)).await
    }

    /// Not less than `epoch`.
    async fn newest_after(&self, name: &str, epoch: Epoch) -> Result<Epoch, StoreError> {
        // Most of those who ask are of the leader that has asked before.
        if let Some(newest) = self.looked(name).await?.filter(|newest| *newest >= epoch) {
            return Ok(newest);
        }
        let column = i64::try_from(epoch.get())
            .map_err(|_| StoreError::new(ErrorClass::Refused, "epoch", "an epoch that no row can have"))?;
        let store = &self.0.store;
        let mut writing = store.writing("epoch").await?;
        let accepted = query(self.0.statements.accept.clone())
            .bind(name)
            .bind(column)
            .execute(writing.connection())
            .await
            .map_err(|error| classified("epoch", error))?;
        let newest = match accepted.rows_affected() {
            0 => self.look(name, writing.connection()).await?,
            _ => Some(epoch),
        };
        writing.commit().await?;
        newest.ok_or_else(|| StoreError::new(ErrorClass::Corrupt, "epoch", "a row that is and is not there"))
    }

    async fn looked(&self, name: &str) -> Result<Option<Epoch>, StoreError> {
        let mut reading = self.0.store.reading("epoch").await?;
        let newest = self.look(name, reading.connection()).await?;
        reading.done();
        Ok(newest)
    }

    async fn look(&self, name: &str, connection: &mut SqliteConnection) -> Result<Option<Epoch>, StoreError> {
        let look = query_scalar(self.0.statements.newest.clone()).bind(name);
        let newest: Option<i64> = look.fetch_optional(connection).await.map_err(|error| classified("epoch", error))?;
        let epoch = |column| u64::try_from(column).map(Epoch::new);
        let corrupt = |_| StoreError::new(ErrorClass::Corrupt, "epoch", "a row whose epoch is below zero");
        newest.map(epoch).transpose().map_err(corrupt)
    }
}

impl EpochMemory for SqliteEpochs {
    type Answer = Pin<Box<dyn Future<Output = Result<(), EpochError>> + Send>>;

    fn remember(&self, name: &Name, epoch: Epoch) -> Self::Answer {
        let (epochs, name) = (self.clone(), name.clone());
        Box::pin(async move { epochs.accept(name, epoch).await })
    }
}

impl fmt::Debug for SqliteEpochs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteEpochs").field("store", &self.0.store).finish_non_exhaustive()
    }
}
