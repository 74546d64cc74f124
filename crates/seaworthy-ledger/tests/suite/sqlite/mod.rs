//! A ledger in a SQLite file. Its connections have threads of their own, which a paused clock does not wait for: here
//! the tests' time is real, and that of the rows is stepped.

mod clock;
mod dropped;
mod full;
mod handle;
mod in_transaction;
mod redelivered;
mod rows;
mod waiting;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use seaworthy_ledger::Held;
use seaworthy_ledger::Key;
use seaworthy_ledger::sqlite::Sqlite;
use seaworthy_ledger::store::{Answer, Attempt, Holder, LedgerStore, Settlement};
use seaworthy_store::random;
use seaworthy_store::sqlite::{SqliteStore, SqliteStoreBuilder};
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

pub(crate) const LEASE: Duration = Duration::from_secs(60);
pub(crate) const KEEP: Duration = Duration::from_secs(600);

/// A directory of a test's own, which goes with it.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Directory {
        let path = std::env::temp_dir().join(format!("seaworthy-ledger-{:032x}", random::unique()));
        std::fs::create_dir(&path).expect("a directory for temporary files");
        Directory(path)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("work.db")
    }

    pub(crate) fn builder(&self) -> SqliteStoreBuilder {
        SqliteStore::builder(self.file())
    }

    pub(crate) async fn engine(&self) -> Sqlite {
        opened(self.builder()).await
    }

    /// A connection as another program has it, which waits for the lock for up to 5 s.
    pub(crate) async fn stranger(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.file()).connect().await.expect("the file is there")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) async fn opened(builder: SqliteStoreBuilder) -> Sqlite {
    let engine = Sqlite::new(&builder.open().await.expect("a file of our own"));
    engine.migrate().await.expect("installed");
    engine
}

/// The time of rows, as a test sets it.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    /// Some day in 2026.
    pub(crate) fn new() -> Clock {
        Clock(Arc::new(AtomicU64::new(1_790_000_000_000_000)))
    }

    pub(crate) fn of(&self, builder: SqliteStoreBuilder) -> SqliteStoreBuilder {
        let micros = Arc::clone(&self.0);
        builder.row_clock(move || Duration::from_micros(micros.load(Ordering::SeqCst)))
    }

    pub(crate) fn forward(&self, span: Duration) {
        self.0.fetch_add(u64::try_from(span.as_micros()).expect("short"), Ordering::SeqCst);
    }

    pub(crate) fn back(&self, span: Duration) {
        self.0.fetch_sub(u64::try_from(span.as_micros()).expect("short"), Ordering::SeqCst);
    }
}

pub(crate) fn key(value: &str) -> Key {
    Key::new("test", value).expect("a key")
}

/// A new claimer's attempt.
pub(crate) fn attempt(key: &Key) -> Attempt {
    Attempt { key: key.clone(), owner: random::unique(), lease: LEASE, fingerprint: None, rank: None }
}

pub(crate) fn holder(attempt: &Attempt, fence: u64) -> Holder {
    Holder { key: attempt.key.clone(), fence, owner: attempt.owner }
}

pub(crate) fn done(result: &'static [u8]) -> Settlement {
    Settlement::Done { result: Bytes::from_static(result), content_type: "text/plain".into(), keep: Some(KEEP) }
}

/// Claims a key that is to be had.
pub(crate) async fn granted(engine: &Sqlite, key: &Key) -> Holder {
    let attempt = attempt(key);
    match engine.claim(&attempt).await.expect("the store is up") {
        Answer::Granted { fence, .. } => holder(&attempt, fence),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn settled(engine: &Sqlite, holder: &Holder, settlement: &Settlement) -> Held {
    engine.settle(holder, settlement).await.expect("the store is up")
}

/// A text of `docs`.
pub(crate) fn documented(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
