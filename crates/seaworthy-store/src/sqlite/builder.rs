use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use seaworthy::ConfigError;

use crate::error::{ErrorClass, StoreError};
use crate::sqlite::connections::Settings;
use crate::sqlite::store::{RowClock, SqliteStore};
use crate::table_names::TableNames;
use crate::time;

const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// SQLite's page, unless the file was made with another.
const SMALLEST: u64 = 64 * 1024;

/// What is on the disk when a write is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Synchronous {
    /// The write: it outlasts a power failure.
    #[default]
    Full,
    /// The file as of some moment shortly before: it outlasts the end of the process, and a power failure may take the
    /// last writes, which then have never been. Some ten times as many writes a second.
    Normal,
}

/// How a file is opened. Made by [`SqliteStore::builder`].
#[must_use = "nothing is opened before `open`"]
pub struct SqliteStoreBuilder {
    path: PathBuf,
    tables: TableNames,
    synchronous: Synchronous,
    request_timeout: Duration,
    max_size: Option<u64>,
    clock: RowClock,
    wrong: Option<ConfigError>,
}

impl SqliteStoreBuilder {
    pub(crate) fn new(path: &Path) -> SqliteStoreBuilder {
        SqliteStoreBuilder {
            path: path.to_owned(),
            tables: TableNames::default(),
            synchronous: Synchronous::Full,
            request_timeout: Duration::from_secs(5),
            max_size: None,
            clock: Arc::new(time::wall),
            wrong: None,
        }
    }

    /// Begins the tables' names with this. Default `seaworthy_`.
    pub fn prefix(mut self, prefix: &str) -> SqliteStoreBuilder {
        match TableNames::default().prefix(prefix) {
            Ok(tables) => self.tables = tables,
            Err(error) => self.wrong = Some(error),
        }
        self
    }

    /// What is on the disk when a write is answered. Default [`Synchronous::Full`].
    pub fn synchronous(mut self, synchronous: Synchronous) -> SqliteStoreBuilder {
        self.synchronous = synchronous;
        self
    }

    /// Gives a request up after this time, which includes waiting for the lock. Default 5 s; 50 ms to 1 h.
    pub fn request_timeout(mut self, limit: Duration) -> SqliteStoreBuilder {
        self.request_timeout = limit;
        self
    }

    /// Refuses, as [`Full`](crate::ErrorClass::Full), what would make the file longer than this, in bytes; its log of
    /// writes is beside it and not counted. No default; at least 64 KiB.
    pub fn max_size(mut self, bytes: u64) -> SqliteStoreBuilder {
        self.max_size = Some(bytes);
        self
    }

    /// What the time of rows is read from, as the time since 1970. Default: the machine's wall clock. For tests that
    /// step it.
    pub fn row_clock(mut self, clock: impl Fn() -> Duration + Send + Sync + 'static) -> SqliteStoreBuilder {
        self.clock = Arc::new(clock);
        self
    }

    /// Opens the file, and makes it if there is none in an existing directory.
    ///
    /// # Errors
    /// [`Refused`](crate::ErrorClass::Refused) for a setting that is out of its range, a file that cannot be opened or
    /// written, or one on a network share; [`Corrupt`](crate::ErrorClass::Corrupt) for one that is not SQLite's;
    /// [`Unavailable`](crate::ErrorClass::Unavailable) if others keep it locked for longer than the request timeout.
    ///
    /// # Cancellation
    /// Dropping it leaves at most an empty file.
    pub async fn open(self) -> Result<SqliteStore, StoreError> {
        self.check().map_err(|error| {
            StoreError::new(ErrorClass::Refused, "open", "a setting is out of its range").caused_by(error)
        })?;
        let settings = Settings { synchronous: self.synchronous, max_size: self.max_size };
        SqliteStore::open_with(self.path, settings, self.tables, self.request_timeout, self.clock).await
    }

    fn check(&self) -> Result<(), ConfigError> {
        if let Some(error) = &self.wrong {
            return Err(error.clone());
        }
        if !(SHORTEST..=LONGEST).contains(&self.request_timeout) {
            return Err(ConfigError::new("store", "request_timeout", self.request_timeout, "must be 50 ms to 1 h"));
        }
        match self.max_size {
            Some(bytes) if bytes < SMALLEST => {
                Err(ConfigError::new("store", "max_size", bytes, "must be at least 65536"))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for SqliteStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStoreBuilder").field("path", &self.path).finish_non_exhaustive()
    }
}
