//! A schema for each test, in a server that they share.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use seaworthy_faults::postgres::Schema;
use seaworthy_ledger::postgres::{Postgres, migrate};
use seaworthy_ledger::store::{Answer, Attempt, Holder, LedgerStore, Settlement};
use seaworthy_ledger::{Key, StoreError};
use seaworthy_store::postgres::{PgStore, PgStoreBuilder};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

pub(super) const LEASE: Duration = Duration::from_secs(60);

/// A schema of its own, dropped with this value.
pub(super) struct Space(Schema);

impl Space {
    /// Empty.
    pub(super) async fn empty() -> Space {
        Space(tokio::task::spawn_blocking(Schema::new).await.unwrap())
    }

    /// With the ledger's tables.
    pub(super) async fn new() -> Space {
        let space = Space::empty().await;
        let store = space.store().await;
        migrate(&store).await.unwrap();
        store.close().await;
        space
    }

    pub(super) fn name(&self) -> &str {
        self.0.name()
    }

    pub(super) fn url(&self) -> String {
        self.0.url()
    }

    pub(super) fn builder(&self) -> PgStoreBuilder {
        PgStore::builder(&self.url())
    }

    pub(super) async fn store(&self) -> PgStore {
        PgStore::connect(&self.url()).await.unwrap()
    }

    pub(super) async fn ledger(&self) -> Postgres {
        Postgres::new(&self.store().await)
    }

    /// A session that is none of ours.
    pub(super) async fn session(&self) -> Session {
        Session(PgConnection::connect(&self.url()).await.unwrap())
    }
}

pub(super) struct Session(pub(super) PgConnection);

impl Session {
    pub(super) async fn run(&mut self, sql: &str) {
        self.0.execute(AssertSqlSafe(sql)).await.unwrap();
    }

    pub(super) async fn row(&mut self, sql: &str) -> PgRow {
        self.0.fetch_one(AssertSqlSafe(sql)).await.unwrap()
    }

    pub(super) async fn number(&mut self, sql: &str) -> i64 {
        let sql = format!("SELECT ({sql})::text::numeric::bigint");
        let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut self.0).await.unwrap();
        row.get(0)
    }

    /// One column, line by line.
    pub(super) async fn text(&mut self, sql: &str) -> String {
        let mut text = String::new();
        for row in self.0.fetch_all(AssertSqlSafe(sql)).await.unwrap() {
            writeln!(text, "{}", row.get::<String, _>(0)).unwrap();
        }
        text
    }

    /// All leases are over.
    pub(super) async fn expire(&mut self) {
        self.run("UPDATE seaworthy_ledger SET lease_until = clock_timestamp() - interval '1 second' WHERE state = 0")
            .await;
    }
}

pub(super) fn key(value: &str) -> Key {
    Key::new("test", value).unwrap()
}

/// An owner that nobody else has.
pub(super) fn owner() -> u128 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    u128::from(NEXT.fetch_add(1, Ordering::Relaxed)) << 64 | 7
}

pub(super) fn attempt(key: &Key) -> Attempt {
    Attempt { key: key.clone(), owner: owner(), lease: LEASE, fingerprint: None, rank: None }
}

pub(super) fn holder(attempt: &Attempt, fence: u64) -> Holder {
    Holder { key: attempt.key.clone(), fence, owner: attempt.owner }
}

/// Claims what nobody has.
pub(super) async fn claimed(ledger: &Postgres, value: &str) -> Holder {
    let attempt = attempt(&key(value));
    match ledger.claim(&attempt).await.unwrap() {
        Answer::Granted { fence, .. } => holder(&attempt, fence),
        other => panic!("{value} was to be had, and is {other:?}"),
    }
}

pub(super) fn done(result: &'static str) -> Settlement {
    Settlement::Done { result: Bytes::from_static(result.as_bytes()), content_type: "text/plain".into(), keep: None }
}

pub(super) fn fence(answer: &Answer) -> u64 {
    match answer {
        Answer::Granted { fence, .. } => *fence,
        other => panic!("not granted: {other:?}"),
    }
}

/// Everything that it says, to whoever logs it.
pub(super) fn all_of(error: &StoreError) -> String {
    format!("{error} {error:?} {error:#?}")
}

/// What comes true by itself, in a while.
pub(super) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it did not come true within 10 s that {what}");
}
