use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use seaworthy::Name;
use seaworthy_store::sqlite::{Lease, PackageStore, SqliteStore, classified};
use seaworthy_store::{ErrorClass, StoreError, micros};
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, query, query_as, query_scalar};

use crate::sqlite::row::{self, Columns};
use crate::sqlite::statements::{SCHEMA, Statements};
use crate::store::{Acquired, Answers, Bid, Candidate, FencingStore, LeaseStore, Renewal, Row, RowTime, Tenure};

/// Leases in a SQLite file.
///
/// # Clone
/// Costs three reference counts; clones have the same rows.
#[derive(Clone)]
pub struct Sqlite {
    pub(super) store: PackageStore,
    pub(super) statements: Arc<Statements>,
}

impl Sqlite {
    /// The tables are installed, or upgraded, with the first request; [`migrate`](Sqlite::migrate) does it at once.
    #[must_use]
    pub fn new(store: &SqliteStore) -> Sqlite {
        let statements = Arc::new(Statements::new(store.tables()));
        Sqlite { store: PackageStore::new(store, &SCHEMA), statements }
    }

    /// Installs or upgrades the tables of leases in the file, if they are not as this program needs them. Any number of
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

    pub(super) async fn look(
        &self,
        asked: &'static str,
        name: &Name,
        connection: &mut SqliteConnection,
    ) -> Result<Option<Columns>, StoreError> {
        let look = query_as(self.statements.look.clone()).bind(name.as_str());
        look.fetch_optional(connection).await.map_err(|error| classified(asked, error))
    }

    async fn renewed(
        &self,
        tenures: &[Tenure],
        ttl: Duration,
        begin_by: RowTime,
    ) -> Result<Answers<Renewal>, StoreError> {
        let mut writing = self.store.writing("renew").await?;
        // Not before: who waited must not decide by the time at which the wait began.
        let now = self.store.now();
        let lease = Lease::starting(now, ttl);
        let mut each = Vec::with_capacity(tenures.len());
        for tenure in tenures {
            if now > begin_by.0 {
                each.push(Renewal::Late);
                continue;
            }
            let renewed = query(self.statements.renew.clone())
                .bind(tenure.name.as_str())
                .bind(epoch(tenure.epoch))
                .bind(term(tenure.term))
                .bind(lease.from)
                .bind(lease.until)
                .execute(writing.connection())
                .await
                .map_err(|error| classified("renew", error))?;
            each.push(if renewed.rows_affected() == 1 { Renewal::Renewed } else { Renewal::Lost });
        }
        writing.commit().await?;
        Ok(Answers { at: RowTime(now), each })
    }

    async fn released(&self, name: &Name, released: u128) -> Result<(), StoreError> {
        let mut writing = self.store.writing("release").await?;
        query(self.statements.release.clone())
            .bind(name.as_str())
            .bind(term(released))
            .bind(self.store.now())
            .execute(writing.connection())
            .await
            .map_err(|error| classified("release", error))?;
        writing.commit().await
    }

    async fn read_all(&self, names: &[Name]) -> Result<Answers<Option<Row>>, StoreError> {
        let mut reading = self.store.reading("read").await?;
        let mut rows = Vec::with_capacity(names.len());
        for name in names {
            rows.push(self.look("read", name, reading.connection()).await?);
        }
        reading.done();
        let now = self.store.now();
        let live = |columns: Option<Columns>| {
            let row = columns.map(|columns| row::at(now, columns)).transpose()?;
            Ok(row.filter(|row| row.is_live(micros::span(now))).map(|row| Row::of(&row, micros::span(now))))
        };
        Ok(Answers { at: RowTime(now), each: rows.into_iter().map(live).collect::<Result<_, StoreError>>()? })
    }
}

impl LeaseStore for Sqlite {
    async fn acquire(
        &self,
        candidate: &Candidate<'_>,
        bids: &[Bid],
        begin_by: RowTime,
    ) -> Result<Answers<Acquired>, StoreError> {
        self.store.ask("acquire", self.acquired(candidate, bids, begin_by)).await
    }

    async fn renew(
        &self,
        tenures: &[Tenure],
        ttl: Duration,
        begin_by: RowTime,
    ) -> Result<Answers<Renewal>, StoreError> {
        self.store.ask("renew", self.renewed(tenures, ttl, begin_by)).await
    }

    async fn release(&self, name: &Name, term: u128) -> Result<(), StoreError> {
        self.store.ask("release", self.released(name, term)).await
    }

    async fn read(&self, names: &[Name]) -> Result<Answers<Option<Row>>, StoreError> {
        self.store.ask("read", self.read_all(names)).await
    }
}

/// Whoever writes has the whole file: from the guard to the end of its transaction nobody is granted anything, and
/// renewals wait, too, so that a transaction that takes as long as a lease may cost it.
///
/// SQLite ends no transaction by itself, so the limit is not obeyed here: a process that is stopped in a guarded
/// transaction keeps all others from writing to the file until it goes on or dies.
impl FencingStore for Sqlite {
    type Connection = SqliteConnection;

    async fn guard(
        &self,
        connection: &mut SqliteConnection,
        name: &Name,
        guarded: u64,
        _limit: Duration,
    ) -> Result<bool, StoreError> {
        // To set what is set is refused in a transaction, and has no effect outside of one, so that nothing is left
        // behind by whoever drops this; to begin one would. Not prepared, because it is looked at when it is.
        let level: i64 = query_scalar("PRAGMA synchronous")
            .fetch_one(&mut *connection)
            .await
            .map_err(|error| classified("guard", error))?;
        let set = AssertSqlSafe(format!("PRAGMA synchronous = {level}"));
        if query(set).persistent(false).execute(&mut *connection).await.is_ok() {
            let why = "there is no transaction that could be guarded";
            return Err(StoreError::new(ErrorClass::Refused, "guard", why));
        }
        let lease: Option<(i64, i64)> = query_as(self.statements.guard.clone())
            .bind(name.as_str())
            .bind(epoch(guarded))
            .fetch_optional(connection)
            .await
            .map_err(|error| classified("guard", error))?;
        // Now that the lock is there.
        let now = self.store.now();
        Ok(lease.is_some_and(|(from, until)| Lease { from, until }.left(now).is_some()))
    }
}

/// No row has an epoch that is no `i64`.
fn epoch(epoch: u64) -> i64 {
    i64::try_from(epoch).unwrap_or(-1)
}

pub(super) fn term(term: u128) -> Vec<u8> {
    term.to_be_bytes().to_vec()
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("store", &self.store).finish_non_exhaustive()
    }
}
