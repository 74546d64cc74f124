use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgRow};

use crate::error::StoreError;
use crate::postgres::statement::Statement;
use crate::postgres::store::PgStore;
use crate::schema::PackageSchema;

/// A Postgres in which a package has its tables: whether they are there is looked up at the first request.
///
/// # Clone
/// Costs reference counts; clones share the connections.
#[derive(Clone)]
pub struct PackageStore {
    store: PgStore,
    schema: &'static PackageSchema,
    /// What installs them.
    call: &'static str,
    /// Whether the tables have been seen to be there, and new enough.
    ready: Arc<AtomicBool>,
}

impl PackageStore {
    /// Of this package, whose tables `call` installs.
    #[must_use]
    pub fn new(store: &PgStore, schema: &'static PackageSchema, call: &'static str) -> PackageStore {
        PackageStore { store: store.clone(), schema, call, ready: Arc::default() }
    }

    /// Looks whether the tables are there, and new enough, if they have not been seen to be.
    ///
    /// # Errors
    /// As [`PgStore::check_schema`].
    ///
    /// # Cancellation
    /// Dropping it loses nothing.
    pub async fn check(&self, asked: &'static str) -> Result<(), StoreError> {
        // Two that look at once find the same.
        if !self.ready.load(Ordering::Relaxed) {
            self.store.check_schema(self.schema, self.call, asked).await?;
            self.ready.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// As [`PgStore::rows`], when the tables have been seen.
    ///
    /// # Errors
    /// As [`check`](Self::check) and [`PgStore::rows`].
    ///
    /// # Cancellation
    /// As that of [`PgStore::rows`].
    pub async fn rows(
        &self,
        asked: &'static str,
        statement: &Statement,
        bind: impl Fn(&mut PgArguments) -> Result<(), BoxDynError> + Send + Sync,
    ) -> Result<Vec<PgRow>, StoreError> {
        self.check(asked).await?;
        self.store.rows(asked, statement, bind).await
    }

    /// See [`PgStore::listen`].
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn listen(&self) {
        self.store.listen();
    }

    /// See [`PgStore::request_timeout`].
    #[must_use]
    pub fn request_timeout(&self) -> Duration {
        self.store.request_timeout()
    }
}

/// As the store.
impl fmt::Debug for PackageStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}
