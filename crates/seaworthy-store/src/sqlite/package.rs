use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::StoreError;
use crate::schema::PackageSchema;
use crate::sqlite::store::SqliteStore;

/// A file in which a package has its tables: they are installed, or upgraded, with the first request.
///
/// # Clone
/// Costs three reference counts; clones are the same file.
#[derive(Clone)]
pub struct PackageStore {
    store: SqliteStore,
    schema: &'static PackageSchema,
    /// Whether the tables have been seen to be there, and new enough.
    ready: Arc<AtomicBool>,
}

impl PackageStore {
    /// Of this package, in this file.
    #[must_use]
    pub fn new(store: &SqliteStore, schema: &'static PackageSchema) -> PackageStore {
        PackageStore { store: store.clone(), schema, ready: Arc::default() }
    }

    /// Installs or upgrades the tables, if they have not been seen to be as they must.
    ///
    /// # Errors
    /// As [`SqliteStore::migrate`].
    ///
    /// # Cancellation
    /// Dropping it leaves the tables as they were, or as they were to be.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        // Two that look at once find the same.
        if !self.ready.load(Ordering::Relaxed) {
            self.store.migrate(self.schema).await?;
            self.ready.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// One request, with the store's limit of time.
    ///
    /// # Errors
    /// As [`SqliteStore::migrate`] and [`SqliteStore::within`].
    ///
    /// # Cancellation
    /// Dropping it drops `request`.
    pub async fn ask<T>(
        &self,
        asked: &'static str,
        request: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.prepare().await?;
        self.store.within(asked, request).await
    }
}

impl Deref for PackageStore {
    type Target = SqliteStore;

    fn deref(&self) -> &SqliteStore {
        &self.store
    }
}

/// As the store.
impl fmt::Debug for PackageStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}
