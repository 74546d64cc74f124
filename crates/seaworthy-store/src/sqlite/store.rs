use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::error::{ErrorClass, StoreError};
use crate::limit::within;
use crate::schema::PackageSchema;
use crate::sqlite::builder::SqliteStoreBuilder;
use crate::sqlite::connections::{Settings, first_writer, resolved};
use crate::sqlite::file::File;
use crate::sqlite::migrate::migrate;
use crate::sqlite::network::network_share;
use crate::sqlite::reading::Reading;
use crate::sqlite::registry::shared;
use crate::sqlite::writing::Writing;
use crate::table_names::TableNames;

/// Gives the time since 1970.
pub(crate) type RowClock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// A SQLite file on a local disk, for the processes of one machine.
///
/// Accepted is on the disk: the log is synced with each write. All handles of a process write through one connection,
/// in the order in which they asked. Up to about eight processes share a file well; beyond that Postgres is the better
/// store.
///
/// The time of its rows is the machine's wall clock. Stepping that forward ends leases early; stepping it back by more
/// than a lease's length ends the lease, too.
///
/// ```
/// # async fn run(directory: &std::path::Path) -> Result<(), seaworthy_store::StoreError> {
/// use seaworthy_store::sqlite::SqliteStore;
///
/// let store = SqliteStore::open(directory.join("work.db")).await?;
/// # Ok(()) }
/// ```
///
/// # Clone
/// Costs two reference counts; clones are the same store.
#[derive(Clone)]
pub struct SqliteStore {
    file: Arc<File>,
    handle: Arc<Handle>,
}

/// What each handle has of its own.
struct Handle {
    tables: TableNames,
    request_timeout: Duration,
    clock: RowClock,
}

impl SqliteStore {
    /// Opens a file with the settings that [`SqliteStore::builder`] begins with.
    ///
    /// # Errors
    /// As [`SqliteStoreBuilder::open`].
    ///
    /// # Cancellation
    /// Dropping it leaves at most an empty file.
    pub async fn open(path: impl AsRef<Path>) -> Result<SqliteStore, StoreError> {
        SqliteStore::builder(path).open().await
    }

    /// To open a file with other settings.
    pub fn builder(path: impl AsRef<Path>) -> SqliteStoreBuilder {
        SqliteStoreBuilder::new(path.as_ref())
    }

    pub(crate) async fn open_with(
        path: PathBuf,
        settings: Settings,
        tables: TableNames,
        request_timeout: Duration,
        clock: RowClock,
    ) -> Result<SqliteStore, StoreError> {
        let handle = Arc::new(Handle { tables, request_timeout, clock });
        within(request_timeout, "open", async move {
            // A directory on a share that is away holds up whoever looks at it.
            let looked = tokio::task::spawn_blocking(move || located(&path));
            let path = looked.await.map_err(|error| {
                StoreError::new(ErrorClass::Unavailable, "open", "the look at it ended").caused_by(error)
            })??;
            let file = shared(path, settings);
            let mut place = file.writer.lock().await;
            if place.is_none() {
                *place = Some(first_writer(&file.path, settings).await?);
            }
            drop(place);
            Ok(SqliteStore { file, handle })
        })
        .await
    }

    /// How the tables are called.
    #[must_use]
    pub fn tables(&self) -> &TableNames {
        &self.handle.tables
    }

    /// The file, with links followed.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// Now, by the clock that rows go by: microseconds since 1970.
    #[must_use]
    pub fn now(&self) -> i64 {
        i64::try_from((self.handle.clock)().as_micros()).unwrap_or(i64::MAX)
    }

    /// Gives `request` up after the request timeout.
    ///
    /// # Errors
    /// What `request` fails with; [`Unavailable`](ErrorClass::Unavailable) if it does not end in time.
    ///
    /// # Cancellation
    /// Dropping it drops `request`.
    pub async fn within<T>(
        &self,
        asked: &'static str,
        request: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        // Boxed, because the driver's futures are large, and are part of every call around a claim.
        within(self.handle.request_timeout, asked, Box::pin(request)).await
    }

    /// Waits until it is the only one that writes, in this process and in all others. There is no limit of time in it:
    /// it is meant for [`within`](SqliteStore::within).
    ///
    /// # Errors
    /// If the file cannot be opened or locked for another reason than that others write.
    ///
    /// # Cancellation
    /// Dropping it leaves nothing: no transaction, and no place in the queue.
    pub async fn writing(&self, asked: &'static str) -> Result<Writing, StoreError> {
        Writing::begin(&self.file, asked).await
    }

    /// Waits for one of the few connections that read; they wait for no writer.
    ///
    /// # Errors
    /// If the file cannot be opened.
    ///
    /// # Cancellation
    /// Dropping it leaves nothing.
    pub async fn reading(&self, asked: &'static str) -> Result<Reading, StoreError> {
        Reading::begin(&self.file, asked).await
    }

    /// Takes the steps of a package's schema that the file lacks, all of them or none. Any number of processes may do
    /// so at once.
    ///
    /// # Errors
    /// [`Refused`](ErrorClass::Refused) if the file has a schema of another major version; else as a write.
    ///
    /// # Cancellation
    /// Dropping it leaves the schema as it was, or as it was to be.
    pub async fn migrate(&self, schema: &PackageSchema) -> Result<(), StoreError> {
        self.within("migrate", migrate(self, schema)).await
    }

    /// Closes the connections that are idle, and the one that writes when it is. Whoever asks after that opens others.
    ///
    /// # Cancellation
    /// Dropping it closes them all the same, a little later.
    pub async fn close(&self) {
        self.file.close_idle().await;
    }
}

/// Where the file is, if a store can be there.
fn located(path: &Path) -> Result<PathBuf, StoreError> {
    let resolved = resolved(path)?;
    let there = if resolved.exists() { Some(&*resolved) } else { resolved.parent() };
    match there.and_then(network_share) {
        None => Ok(resolved),
        Some(kind) => Err(StoreError::new(
            ErrorClass::Refused,
            "open",
            format!("{} is on a network share ({kind}), whose locks cannot be relied on", resolved.display()),
        )),
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.file.path).finish_non_exhaustive()
    }
}
