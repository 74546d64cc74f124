//! A schema for each test, in a server that they share.

use std::fmt::Write;
use std::time::Duration;

use seaworthy_faults::postgres::Schema;
use seaworthy_store::StoreError;
use seaworthy_store::postgres::{PgStore, PgStoreBuilder};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

/// A schema of its own, dropped with this value.
pub(crate) struct Space(Schema);

impl Space {
    /// Empty.
    pub(crate) async fn empty() -> Space {
        Space(tokio::task::spawn_blocking(Schema::new).await.unwrap())
    }

    pub(crate) fn name(&self) -> &str {
        self.0.name()
    }

    pub(crate) fn url(&self) -> String {
        self.0.url()
    }

    pub(crate) fn builder(&self) -> PgStoreBuilder {
        PgStore::builder(&self.url())
    }

    pub(crate) async fn store(&self) -> PgStore {
        PgStore::connect(&self.url()).await.unwrap()
    }

    /// A session that is none of ours.
    pub(crate) async fn session(&self) -> Session {
        Session::of(&self.url()).await
    }
}

pub(crate) struct Session(pub(crate) PgConnection);

impl Session {
    pub(crate) async fn of(url: &str) -> Session {
        Session(PgConnection::connect(url).await.unwrap())
    }

    pub(crate) async fn run(&mut self, sql: &str) {
        self.0.execute(AssertSqlSafe(sql)).await.unwrap();
    }

    pub(crate) async fn row(&mut self, sql: &str) -> PgRow {
        self.0.fetch_one(AssertSqlSafe(sql)).await.unwrap()
    }

    pub(crate) async fn number(&mut self, sql: &str) -> i64 {
        let sql = format!("SELECT ({sql})::text::numeric::bigint");
        let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut self.0).await.unwrap();
        row.get(0)
    }

    /// One column, line by line.
    pub(crate) async fn text(&mut self, sql: &str) -> String {
        let mut text = String::new();
        for row in self.0.fetch_all(AssertSqlSafe(sql)).await.unwrap() {
            writeln!(text, "{}", row.get::<String, _>(0)).unwrap();
        }
        text
    }
}

/// Everything that it says, to whoever logs it.
pub(crate) fn all_of(error: &StoreError) -> String {
    format!("{error} {error:?} {error:#?}")
}

/// What comes true by itself, in a while.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it did not come true within 10 s that {what}");
}
