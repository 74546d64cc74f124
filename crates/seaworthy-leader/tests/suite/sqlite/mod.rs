//! Leases in a SQLite file. Its connections have threads of their own, which a paused clock does not wait for: here the
//! tests' time is real, and that of the rows is stepped.

mod clock;
#[cfg(feature = "test-util")]
mod conformance;
mod elector;
mod epochs;
mod guard;
mod rows;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use seaworthy::Name;
use seaworthy_leader::sqlite::Sqlite;
use seaworthy_leader::store::{Acquired, Bid, Candidate, LeaseStore, Renewal, Row, RowTime, Tenure};
use seaworthy_store::random;
use seaworthy_store::sqlite::{SqliteStore, SqliteStoreBuilder, Synchronous};
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

const TTL: Duration = Duration::from_secs(8);
/// Later than anything is begun.
const WHENEVER: RowTime = RowTime(i64::MAX);
const CANDIDATE: Candidate<'static> = Candidate { holder: "host-7-deadbeef", hint: Some("10.0.0.7:8080"), ttl: TTL };

/// A directory of a test's own, which goes with it.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Directory {
        let path = std::env::temp_dir().join(format!("seaworthy-leader-{:032x}", random::unique()));
        std::fs::create_dir(&path).expect("a directory for temporary files");
        Directory(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("leases.db")
    }

    fn builder(&self) -> SqliteStoreBuilder {
        SqliteStore::builder(self.file())
    }

    /// Handles with other settings have connections of their own, as those of another process have.
    fn elsewhere(&self) -> SqliteStoreBuilder {
        self.builder().synchronous(Synchronous::Normal)
    }

    async fn engine(&self) -> Sqlite {
        opened(self.builder()).await
    }

    /// A connection as another program has it, which waits for the lock for up to 5 s.
    async fn stranger(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.file()).connect().await.expect("the file is there")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

async fn store(builder: SqliteStoreBuilder) -> SqliteStore {
    builder.open().await.expect("a file of our own")
}

async fn opened(builder: SqliteStoreBuilder) -> Sqlite {
    Sqlite::new(&store(builder).await)
}

/// The time of rows, as a test sets it.
#[derive(Clone)]
struct Clock(Arc<AtomicU64>);

impl Clock {
    /// Some day in 2026.
    fn new() -> Clock {
        Clock(Arc::new(AtomicU64::new(1_790_000_000_000_000)))
    }

    fn of(&self, builder: SqliteStoreBuilder) -> SqliteStoreBuilder {
        let micros = Arc::clone(&self.0);
        builder.row_clock(move || Duration::from_micros(micros.load(Ordering::SeqCst)))
    }

    fn forward(&self, span: Duration) {
        self.0.fetch_add(u64::try_from(span.as_micros()).expect("short"), Ordering::SeqCst);
    }

    fn back(&self, span: Duration) {
        self.0.fetch_sub(u64::try_from(span.as_micros()).expect("short"), Ordering::SeqCst);
    }
}

/// By a new term of somebody who has seen nothing.
fn bid(name: &str) -> Bid {
    Bid { name: Name::from(name.to_owned()), term: random::unique(), seen: 0 }
}

async fn acquire(engine: &Sqlite, bid: &Bid) -> Acquired {
    let answers = engine.acquire(&CANDIDATE, std::slice::from_ref(bid), WHENEVER).await.expect("the store is up");
    answers.each.into_iter().next().expect("one answer")
}

/// What is to be had.
async fn granted(engine: &Sqlite, name: &str) -> Tenure {
    let bid = bid(name);
    match acquire(engine, &bid).await {
        Acquired::Granted { epoch, .. } => Tenure { name: bid.name, epoch, term: bid.term },
        other => panic!("{other:?}"),
    }
}

async fn renew(engine: &Sqlite, tenure: &Tenure) -> Renewal {
    engine.renew(std::slice::from_ref(tenure), TTL, WHENEVER).await.expect("the store is up").each[0]
}

async fn read(engine: &Sqlite, name: &str) -> Option<Row> {
    let names = [Name::from(name.to_owned())];
    engine.read(&names).await.expect("the store is up").each.remove(0)
}

/// A text of `docs`.
fn documented(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
