use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use seaworthy::Name;
use seaworthy_store::StoreError;
use seaworthy_store::postgres::{PackageStore, PgStore};
use sqlx::Arguments;
use sqlx::postgres::PgArguments;

use crate::postgres::statements::Statements;
use crate::postgres::{CALL, SCHEMA, acquire, read, renew};
use crate::store::{Acquired, Answers, Bid, Candidate, LeaseStore, Renewal, Row, RowTime, Tenure};

/// Keeps leases in Postgres, by its clock: they are for processes on any number of machines.
///
/// # Clone
/// Costs reference counts; clones share the connections.
#[derive(Clone)]
pub struct Postgres {
    pub(super) store: PackageStore,
    pub(super) statements: Arc<Statements>,
}

impl Postgres {
    /// Whether the table is there is looked up at the first request, which is
    /// [`Refused`](seaworthy_store::ErrorClass::Refused) if [`migrate`](crate::postgres::migrate) has not been called;
    /// [`check`](Postgres::check) does it at once.
    #[must_use]
    pub fn new(store: &PgStore) -> Postgres {
        let statements = Arc::new(Statements::new(store.names()));
        Postgres { store: PackageStore::new(store, &SCHEMA, CALL), statements }
    }

    /// Looks whether the table is there, and new enough.
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

impl LeaseStore for Postgres {
    async fn acquire(
        &self,
        candidate: &Candidate<'_>,
        bids: &[Bid],
        begin_by: RowTime,
    ) -> Result<Answers<Acquired>, StoreError> {
        acquire::acquire(self, candidate, bids, begin_by).await
    }

    async fn renew(
        &self,
        tenures: &[Tenure],
        ttl: Duration,
        begin_by: RowTime,
    ) -> Result<Answers<Renewal>, StoreError> {
        renew::renew(self, tenures, ttl, begin_by).await
    }

    async fn release(&self, name: &Name, term: u128) -> Result<(), StoreError> {
        let bind = |arguments: &mut PgArguments| {
            arguments.add(name.as_str())?;
            arguments.add(term.to_be_bytes())
        };
        self.store.rows("release", &self.statements.release, bind).await.map(drop)
    }

    async fn read(&self, names: &[Name]) -> Result<Answers<Option<Row>>, StoreError> {
        read::read(self, names).await
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("store", &self.store).finish_non_exhaustive()
    }
}
