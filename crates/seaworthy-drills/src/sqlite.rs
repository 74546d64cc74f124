//! A database in a SQLite file: `sqlite:/path/of/the/file`.

use std::time::Duration;

use seaworthy_ledger::sqlite::{Sqlite, SqliteStore};
use seaworthy_ledger::{Claim, Held, LedgerError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, query, query_as};

use crate::database::Database;

/// A drill's processes may be many more than the eight that are well served.
const PATIENCE: Duration = Duration::from_secs(60);

/// A SQLite file.
#[derive(Debug)]
pub struct SqliteFile(SqliteStore);

impl SqliteFile {
    /// The store.
    pub fn sqlite_store(&self) -> &SqliteStore {
        &self.0
    }
}

async fn run(connection: &mut SqliteConnection, statement: &str) {
    connection.execute(AssertSqlSafe(statement)).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

impl Database for SqliteFile {
    type Store = Sqlite;
    type Connection = SqliteConnection;

    async fn open(url: &str) -> SqliteFile {
        let path = url.strip_prefix("sqlite:").unwrap_or_else(|| panic!("{url} is no file of SQLite"));
        let store = SqliteStore::builder(path).request_timeout(PATIENCE).open().await;
        SqliteFile(store.unwrap_or_else(|error| panic!("{path}: {error:?}")))
    }

    fn store(&self) -> Sqlite {
        Sqlite::new(&self.0)
    }

    async fn prepare(&self) {
        self.store().migrate().await.unwrap_or_else(|error| panic!("migrate: {error:?}"));
        let mut connection = self.connect().await;
        run(&mut connection, "CREATE TABLE IF NOT EXISTS effect (key text NOT NULL, fence integer NOT NULL)").await;
    }

    async fn connect(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.0.path()).busy_timeout(PATIENCE);
        options.connect().await.unwrap_or_else(|error| panic!("{error}"))
    }

    async fn begin(&self, connection: &mut SqliteConnection) {
        run(connection, "BEGIN IMMEDIATE").await;
    }

    async fn end(&self, connection: &mut SqliteConnection, commit: bool) {
        run(connection, if commit { "COMMIT" } else { "ROLLBACK" }).await;
    }

    async fn effect(&self, connection: &mut SqliteConnection, key: &str, fence: u64) {
        let fence = i64::try_from(fence).expect("a drill's fences are small");
        let effect = query("INSERT INTO effect (key, fence) VALUES (?1, ?2)").bind(key).bind(fence);
        effect.execute(connection).await.unwrap_or_else(|error| panic!("effect: {error}"));
    }

    async fn effects(&self, connection: &mut SqliteConnection) -> Vec<(String, u64)> {
        let all = "SELECT key, count(*) FROM effect GROUP BY key ORDER BY key";
        let all: Vec<(String, i64)> = query_as(all).fetch_all(connection).await.expect("the table is there");
        all.into_iter().map(|(key, times)| (key, times.unsigned_abs())).collect()
    }

    async fn complete_in(&self, connection: &mut SqliteConnection, claim: &Claim<Sqlite>) -> Result<Held, LedgerError> {
        claim.complete_in(connection, "done").await
    }

    async fn expire_all(&self, connection: &mut SqliteConnection) {
        run(connection, "UPDATE seaworthy_ledger SET lease_from = 1, lease_until = 2 WHERE state = 0").await;
    }

    async fn fail_all(&self, connection: &mut SqliteConnection) {
        run(connection, "UPDATE seaworthy_ledger SET state = 2, finished_at = 3").await;
    }
}
