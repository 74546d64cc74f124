use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgRow};

use crate::error::StoreError;
use crate::limit::within;
use crate::postgres::bells::Bell;
use crate::postgres::builder::PgStoreBuilder;
use crate::postgres::classify::{REPEATS, did_nothing, spares_the_connection, store_error};
use crate::postgres::connections::Connections;
use crate::postgres::lent::Lent;
use crate::postgres::listening::Listening;
use crate::postgres::request::{self, Limits, Mode};
use crate::postgres::statement::Statement;
use crate::random;
use crate::table_names::TableNames;
use crate::time;

/// Before a request that did nothing is repeated: up to this, and longer each time.
const BEFORE_A_REPEAT: Duration = Duration::from_millis(10);

/// Sends statements to a Postgres, each with a limit of time and in a transaction of its own.
///
/// # Clone
/// Costs a reference count; clones share the connections.
#[derive(Clone)]
pub struct PgStore(Arc<Shared>);

struct Shared {
    connections: Connections,
    mode: Mode,
    limits: Limits,
    names: TableNames,
    listening: Listening,
}

impl PgStore {
    pub(super) fn new(connections: Connections, mode: Mode, limits: Limits, names: TableNames) -> PgStore {
        PgStore(Arc::new(Shared { connections, mode, limits, names, listening: Listening::default() }))
    }

    /// Connects by a URL, `postgres://user:password@host/database`, with the default settings.
    ///
    /// # Errors
    /// As [`PgStoreBuilder::connect`].
    ///
    /// # Cancellation
    /// As [`PgStoreBuilder::connect`].
    pub async fn connect(url: &str) -> Result<PgStore, StoreError> {
        PgStoreBuilder::url(url).connect().await
    }

    /// Settings of a store with connections of its own.
    pub fn builder(url: &str) -> PgStoreBuilder {
        PgStoreBuilder::url(url)
    }

    /// Settings of a store that takes its connections from `pool`, whose options it leaves alone: each request sets its
    /// limits for a transaction of its own, and prepares nothing. This costs three round trips more than connections of
    /// the store's own.
    ///
    /// A connection whose request was given up is closed, and taken from the pool.
    pub fn from_pool(pool: PgPool) -> PgStoreBuilder {
        PgStoreBuilder::pool(pool)
    }

    /// Where the tables are.
    #[must_use]
    pub fn names(&self) -> &TableNames {
        &self.0.names
    }

    /// Whether each request is in a transaction that sets its limits, as behind a pooler.
    #[must_use]
    pub fn is_pooled(&self) -> bool {
        self.0.mode == Mode::InTransaction
    }

    /// How long a request has, the wait for a connection included.
    #[must_use]
    pub fn request_timeout(&self) -> Duration {
        self.0.limits.request
    }

    /// A bell for what is told by `pg_notify('seaworthy', payload)`, once [`listen`](Self::listen) was called; and for
    /// what is told by [`Bell::ring`], to all who have it from this store.
    #[must_use]
    pub fn bell(&self, payload: &str) -> Bell {
        self.0.listening.bells.get(payload)
    }

    /// Listens on one connection more, for as long as the store is there, and connects again when that is lost. Behind
    /// a pooler and on a caller's pool it does nothing.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn listen(&self) {
        if let Some(options) = self.0.connections.direct() {
            self.0.listening.begin(options);
        }
    }

    /// Sends one statement and gives its rows. `bind` encodes its parameters. What the server says did nothing, because
    /// others interfered, is sent again, up to three times.
    ///
    /// # Errors
    /// In the classes of [`ErrorClass`](crate::ErrorClass).
    ///
    /// # Cancellation
    /// Dropping it closes the connection that it used; the statement happens wholly or not at all.
    pub async fn rows(
        &self,
        asked: &'static str,
        statement: &Statement,
        bind: impl Fn(&mut PgArguments) -> Result<(), BoxDynError> + Send + Sync,
    ) -> Result<Vec<PgRow>, StoreError> {
        within(self.0.limits.request, asked, self.repeat(asked, statement, bind)).await
    }

    async fn repeat(
        &self,
        asked: &'static str,
        statement: &Statement,
        bind: impl Fn(&mut PgArguments) -> Result<(), BoxDynError> + Send + Sync,
    ) -> Result<Vec<PgRow>, StoreError> {
        let mut repeats = 0;
        loop {
            let mut arguments = PgArguments::default();
            bind(&mut arguments).map_err(|error| store_error(asked, sqlx::Error::Encode(error)))?;
            // Boxed, because the driver's futures are large, and are part of every call around a claim.
            match Box::pin(self.once(asked, statement, arguments)).await? {
                Ok(rows) => return Ok(rows),
                Err(error) if did_nothing(&error) && repeats < REPEATS => repeats += 1,
                Err(error) => return Err(store_error(asked, error)),
            }
            time::sleep(BEFORE_A_REPEAT.mul_f64(f64::from(repeats) * random::fraction())).await;
        }
    }

    async fn once(
        &self,
        asked: &'static str,
        statement: &Statement,
        arguments: PgArguments,
    ) -> Result<Result<Vec<PgRow>, sqlx::Error>, StoreError> {
        let mut lent = self.lend(asked).await?;
        let Some(connection) = lent.connection() else { return Ok(Err(sqlx::Error::WorkerCrashed)) };
        let rows = request::run(connection, self.0.mode, self.0.limits, statement, arguments).await;
        if rows.as_ref().err().is_none_or(spares_the_connection) {
            lent.give_back();
        } else {
            lent.give_up();
        }
        Ok(rows)
    }

    pub(super) async fn lend(&self, asked: &'static str) -> Result<Lent, StoreError> {
        self.0.connections.lend(asked).await
    }

    /// Waits for the requests that run, and closes the connections. Later requests are
    /// [`Refused`](crate::ErrorClass::Refused). A caller's pool is left as it is.
    ///
    /// # Cancellation
    /// Dropping it leaves the store open.
    pub async fn close(&self) {
        self.0.connections.close().await;
        self.0.listening.close();
    }
}

impl fmt::Debug for PgStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgStore")
            .field("connections", &self.0.connections)
            .field("limits", &self.0.limits)
            .field("names", &self.0.names)
            .finish_non_exhaustive()
    }
}
