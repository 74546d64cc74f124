//! Jobs in a SQLite file. Its connections have threads of their own, which a paused clock does not wait for: here the
//! tests' time is real, and that of the rows is stepped where it matters.

mod clock;
#[cfg(feature = "test-util")]
mod conformance;
mod consumer;
mod corrupt;
#[cfg(all(feature = "postgres", feature = "redis"))]
mod dead_letters;
mod dropped;
mod full;
mod in_transaction;
mod rows;
mod waiting;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use seaworthy_queue::sqlite::{Sqlite, SqliteStore, SqliteStoreBuilder};
use seaworthy_queue::store::{Due, Entry, Held, Holder, NewJob, Producer, Received, Settlement, Source, Take, Taken};
use seaworthy_queue::{Headers, JobId};
use seaworthy_store::random;
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

pub(crate) const VISIBILITY: Duration = Duration::from_secs(60);
pub(crate) const ACK: Settlement = Settlement::Ack { remember: None };

/// A directory of a test's own, which goes with it.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Directory {
        let path = std::env::temp_dir().join(format!("seaworthy-queue-{:032x}", random::unique()));
        std::fs::create_dir(&path).expect("a directory for temporary files");
        Directory(path)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("jobs.db")
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
    let engine = Sqlite::new("numbers", &builder.open().await.expect("a file of our own"));
    engine.migrate().await.expect("installed");
    engine
}

/// The time of rows, as a test sets it; and how often it was read.
#[derive(Clone)]
pub(crate) struct Clock {
    micros: Arc<AtomicU64>,
    read: Arc<AtomicU64>,
}

impl Clock {
    /// Some day in 2026.
    pub(crate) fn new() -> Clock {
        Clock { micros: Arc::new(AtomicU64::new(1_790_000_000_000_000)), read: Arc::default() }
    }

    pub(crate) fn of(&self, builder: SqliteStoreBuilder) -> SqliteStoreBuilder {
        let Clock { micros, read } = self.clone();
        builder.row_clock(move || {
            read.fetch_add(1, Ordering::SeqCst);
            Duration::from_micros(micros.load(Ordering::SeqCst))
        })
    }

    pub(crate) fn forward(&self, span: Duration) {
        self.micros.fetch_add(u64::try_from(span.as_micros()).expect("short"), Ordering::SeqCst);
    }

    pub(crate) fn back(&self, span: Duration) {
        self.micros.fetch_sub(u64::try_from(span.as_micros()).expect("short"), Ordering::SeqCst);
    }

    pub(crate) fn readings(&self) -> u64 {
        self.read.load(Ordering::SeqCst)
    }
}

pub(crate) fn id(text: &str) -> JobId {
    JobId::new(text).expect("an id")
}

pub(crate) fn job(text: &str) -> NewJob {
    let body = Bytes::from_static(b"7");
    NewJob { id: id(text), kind: "number".into(), version: 1, headers: Headers::default(), body, due: Due::Now }
}

pub(crate) fn jobs(prefix: &str, jobs: usize) -> Vec<NewJob> {
    (0..jobs).map(|number| job(&format!("{prefix}-{number}"))).collect()
}

pub(crate) async fn accept(engine: &Sqlite, jobs: &[NewJob]) {
    let entries = engine.enqueue(jobs, None).await.expect("the store is up");
    assert!(entries.iter().all(|entry| *entry == Entry::Accepted), "{entries:?}");
}

pub(crate) fn take(room: u32) -> Take {
    Take { owner: random::unique(), repeats: false, room, visibility: VISIBILITY, max_deliveries: 1_000 }
}

pub(crate) fn holder(take: &Take, taken: &Taken) -> Holder {
    Holder { id: taken.id.clone(), owner: take.owner, fence: taken.fence }
}

pub(crate) async fn received(engine: &Sqlite, take: &Take) -> Received {
    engine.receive(take, Duration::ZERO).await.expect("the store is up")
}

pub(crate) async fn ids(engine: &Sqlite, room: u32) -> Vec<String> {
    received(engine, &take(room)).await.jobs.iter().map(|job| job.id.to_string()).collect()
}

/// One job, which has to be there.
pub(crate) async fn one(engine: &Sqlite) -> (Holder, Taken) {
    let asked = take(1);
    let taken = received(engine, &asked).await.jobs.pop().expect("a job");
    (holder(&asked, &taken), taken)
}

pub(crate) async fn settled(engine: &Sqlite, holder: &Holder, settlement: &Settlement) -> Held {
    engine.settle(holder, settlement).await.expect("the store is up")
}

/// Ready, later, running, dead.
pub(crate) async fn counts(engine: &Sqlite) -> (u64, u64, u64, u64) {
    let depth = engine.depth().await.expect("the store is up");
    (depth.ready, depth.later, depth.running, depth.dead)
}

/// A text of `docs`.
pub(crate) fn documented(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
