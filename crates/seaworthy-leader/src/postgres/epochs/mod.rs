//! What a resource remembers of epochs, in a table.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use seaworthy::Name;
use seaworthy_store::postgres::{PgStore, Read, Statement};
use seaworthy_store::{ErrorClass, StoreError, TableNames};
use sqlx::Arguments;
use sqlx::postgres::PgArguments;

use crate::epoch::Epoch;
use crate::epoch_memory::{EpochError, EpochMemory};
use crate::fence::StaleEpoch;
use crate::postgres::engine::Postgres;

struct Statements {
    accept: Statement,
    newest: Statement,
}

impl Statements {
    fn new(names: &TableNames) -> Statements {
        let fill = |text| Statement::new(names, text);
        Statements { accept: fill(include_str!("accept.sql")), newest: fill(include_str!("newest.sql")) }
    }
}

/// Remembers the highest epoch of each name in Postgres, and refuses older ones: the side of the resource, over
/// restarts, and for all its processes.
///
/// An epoch that is the highest already takes no lock and writes nothing. Each request has the store's limit of time.
/// The table is `seaworthy_epoch`, which [`migrate`](crate::postgres::migrate) makes; a program needs SELECT, INSERT
/// and UPDATE on it, and SELECT on `seaworthy_schema`.
///
/// ```no_run
/// use seaworthy_leader::Epoch;
/// use seaworthy_leader::postgres::{self, PgStore, PostgresEpochs};
///
/// # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
/// let store = PgStore::connect("postgres://app@db.example/app").await?;
/// postgres::migrate(&store).await?;
/// let epochs = PostgresEpochs::on(&store);
/// epochs.accept("scheduler", Epoch::new(7)).await?;
/// assert!(epochs.accept("scheduler", Epoch::new(6)).await.is_err_and(|error| error.is_stale()));
/// # Ok(())
/// # }
/// ```
///
/// # Clone
/// Costs reference counts; clones remember the same.
#[derive(Clone)]
pub struct PostgresEpochs {
    engine: Postgres,
    statements: Arc<Statements>,
}

impl PostgresEpochs {
    /// In this database. Without its table the first request is [`Refused`](ErrorClass::Refused), and says what to
    /// call.
    #[must_use]
    pub fn on(store: &PgStore) -> PostgresEpochs {
        PostgresEpochs { engine: Postgres::new(store), statements: Arc::new(Statements::new(store.names())) }
    }

    /// Accepts an epoch that is as high as the highest before, or higher.
    ///
    /// # Errors
    /// [`EpochError::Stale`] if it is lower; nothing has changed then. [`EpochError::Store`] if the server cannot be
    /// asked, or the epoch is beyond what a row can have, which is an `i64`.
    ///
    /// # Cancellation
    /// Dropping it leaves the highest as it was, or as it was to be.
    pub async fn accept(&self, name: impl Into<Name>, epoch: Epoch) -> Result<(), EpochError> {
        let name = name.into();
        match self.newest_after(&name, epoch).await? {
            newest if newest > epoch => Err(EpochError::Stale(StaleEpoch { epoch, newest })),
            _ => Ok(()),
        }
    }

    /// The highest that was accepted.
    ///
    /// # Errors
    /// If the server cannot be asked.
    ///
    /// # Cancellation
    /// Dropping it loses nothing.
    pub async fn newest(&self, name: &str) -> Result<Option<Epoch>, StoreError> {
        let bind = |arguments: &mut PgArguments| arguments.add(name);
        let rows = self.engine.store.rows("epoch", &self.statements.newest, bind).await?;
        rows.first().map(|row| Read::of("epoch", row).count("epoch").map(Epoch::new)).transpose()
    }

    /// Not less than `epoch`.
    async fn newest_after(&self, name: &str, epoch: Epoch) -> Result<Epoch, StoreError> {
        // Most of those who ask are of the leader that has asked before.
        if let Some(newest) = self.newest(name).await?.filter(|newest| *newest >= epoch) {
            return Ok(newest);
        }
        let column = i64::try_from(epoch.get())
            .map_err(|_| StoreError::new(ErrorClass::Refused, "epoch", "an epoch that no row can have"))?;
        let bind = |arguments: &mut PgArguments| {
            arguments.add(name)?;
            arguments.add(column)
        };
        let rows = self.engine.store.rows("epoch", &self.statements.accept, bind).await?;
        Read::first("epoch", &rows)?.count("epoch").map(Epoch::new)
    }
}

impl EpochMemory for PostgresEpochs {
    type Answer = Pin<Box<dyn Future<Output = Result<(), EpochError>> + Send>>;

    fn remember(&self, name: &Name, epoch: Epoch) -> Self::Answer {
        let (epochs, name) = (self.clone(), name.clone());
        Box::pin(async move { epochs.accept(name, epoch).await })
    }
}

impl fmt::Debug for PostgresEpochs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresEpochs").field("engine", &self.engine).finish_non_exhaustive()
    }
}
