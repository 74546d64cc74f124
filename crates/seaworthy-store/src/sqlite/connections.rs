//! How a connection is opened.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Error, query_scalar};

use crate::error::{ErrorClass, StoreError};
use crate::random;
use crate::sqlite::builder::Synchronous;
use crate::sqlite::class::{classified, is_busy};
use crate::time;

/// A reader meets a lock only while the log is recovered or taken away, which is over soon.
const READER_WAITS: Duration = Duration::from_millis(250);

/// What all connections to a file have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) synchronous: Synchronous,
    pub(crate) max_size: Option<u64>,
}

/// The connection that writes. It never waits in SQLite, whose waiting cannot be given up and is unfair: see
/// [`pause`].
pub(crate) async fn writer(path: &Path, settings: Settings) -> Result<SqliteConnection, Error> {
    let options = options(path)
        .create_if_missing(true)
        .busy_timeout(Duration::ZERO)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(match settings.synchronous {
            Synchronous::Full => SqliteSynchronous::Full,
            Synchronous::Normal => SqliteSynchronous::Normal,
        });
    let mut connection = options.connect().await?;
    if let Some(bytes) = settings.max_size {
        let page: i64 = query_scalar("PRAGMA page_size").fetch_one(&mut connection).await?;
        let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1);
        // Not below what the file has: then nothing is allowed to be added.
        let limit = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {}", pages.max(1)));
        let _allowed: i64 = query_scalar(limit).fetch_one(&mut connection).await?;
    }
    Ok(connection)
}

/// A connection that reads what was committed, whoever writes meanwhile.
pub(crate) async fn reader(path: &Path) -> Result<SqliteConnection, Error> {
    options(path).read_only(true).busy_timeout(READER_WAITS).connect().await
}

fn options(path: &Path) -> SqliteConnectOptions {
    // Bound values are not in the driver's log lines, but a ledger's statements are nobody's business there, either.
    SqliteConnectOptions::new().filename(path).foreign_keys(true).disable_statement_logging()
}

/// Opens the first connection that writes, whatever others are doing to the file, and looks whether it has what a store
/// needs.
pub(crate) async fn first_writer(path: &Path, settings: Settings) -> Result<SqliteConnection, StoreError> {
    let mut connection = loop {
        match writer(path, settings).await {
            Ok(connection) => break connection,
            // Of several that turn a new file's log on, one at a time can.
            Err(error) if is_busy(&error) => pause().await,
            Err(error) => return Err(classified("open", error)),
        }
    };
    let mode: String = query_scalar("PRAGMA journal_mode")
        .fetch_one(&mut connection)
        .await
        .map_err(|error| classified("open", error))?;
    if mode == "wal" {
        Ok(connection)
    } else {
        Err(StoreError::new(ErrorClass::Refused, "open", "the file cannot have a write-ahead log where it is"))
    }
}

/// The wait before a locked file is tried again: 5 to 25 ms, so that processes do not meet again and again, and none
/// waits for ever longer while others are served.
pub(crate) async fn pause() {
    time::sleep(Duration::from_millis(5) + Duration::from_millis(20).mul_f64(random::fraction())).await;
}

/// The one name of the file that is meant: links are followed, because the log is beside what they lead to.
///
/// It never opens the file: to close it again would take away the locks that this process has on it.
pub(crate) fn resolved(path: &Path) -> Result<PathBuf, StoreError> {
    let refused = |why: String| StoreError::new(ErrorClass::Refused, "open", why);
    if path == Path::new(":memory:") {
        return Err(refused("a store in memory is another's; a path is needed".to_owned()));
    }
    if let Ok(existing) = path.canonicalize() {
        return if existing.is_dir() {
            Err(refused(format!("{} is a directory", path.display())))
        } else {
            Ok(existing)
        };
    }
    let name = path.file_name().ok_or_else(|| refused(format!("{} is no file's name", path.display())))?;
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let directory = directory.canonicalize().map_err(|error| {
        refused(format!("the directory {} cannot be reached", directory.display())).caused_by(error)
    })?;
    Ok(directory.join(name))
}
