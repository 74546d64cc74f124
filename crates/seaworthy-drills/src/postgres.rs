//! A database in a schema of a Postgres: `postgres://…`, whose search path is that schema.

use seaworthy_ledger::postgres::{PgStore, Postgres, migrate};
use seaworthy_ledger::{Claim, Held, LedgerError};
use sqlx::{Connection, Executor, PgConnection, query, query_as};

use crate::database::Database;

/// A schema.
#[derive(Debug)]
pub struct PostgresSchema {
    store: PgStore,
    /// It may have a password.
    url: Secret,
}

struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl PostgresSchema {
    /// The store.
    pub fn pg_store(&self) -> &PgStore {
        &self.store
    }

    pub(crate) fn url(&self) -> &str {
        &self.url.0
    }
}

async fn run(connection: &mut PgConnection, statement: &'static str) {
    connection.execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

impl Database for PostgresSchema {
    type Store = Postgres;
    type Connection = PgConnection;

    async fn open(url: &str) -> PostgresSchema {
        let store = PgStore::connect(url).await.unwrap_or_else(|error| panic!("{error:?}"));
        PostgresSchema { store, url: Secret(url.to_owned()) }
    }

    fn store(&self) -> Postgres {
        Postgres::new(&self.store)
    }

    async fn prepare(&self) {
        migrate(&self.store).await.unwrap_or_else(|error| panic!("migrate: {error:?}"));
        let mut connection = self.connect().await;
        // Two that make one table at once disturb each other.
        run(&mut connection, "BEGIN").await;
        run(&mut connection, "SELECT pg_advisory_xact_lock(4711)").await;
        run(&mut connection, "CREATE TABLE IF NOT EXISTS effect (key text NOT NULL, fence bigint NOT NULL)").await;
        run(&mut connection, "COMMIT").await;
        let _closed = connection.close().await;
    }

    async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url.0).await.unwrap_or_else(|error| panic!("{error}"))
    }

    async fn begin(&self, connection: &mut PgConnection) {
        run(connection, "BEGIN").await;
    }

    async fn end(&self, connection: &mut PgConnection, commit: bool) {
        run(connection, if commit { "COMMIT" } else { "ROLLBACK" }).await;
    }

    async fn effect(&self, connection: &mut PgConnection, key: &str, fence: u64) {
        let fence = i64::try_from(fence).expect("a drill's fences are small");
        let effect = query("INSERT INTO effect (key, fence) VALUES ($1, $2)").bind(key).bind(fence);
        effect.execute(connection).await.unwrap_or_else(|error| panic!("effect: {error}"));
    }

    async fn effects(&self, connection: &mut PgConnection) -> Vec<(String, u64)> {
        let all = "SELECT key, count(*) FROM effect GROUP BY key ORDER BY key";
        let all: Vec<(String, i64)> = query_as(all).fetch_all(connection).await.expect("the table is there");
        all.into_iter().map(|(key, times)| (key, times.unsigned_abs())).collect()
    }

    async fn complete_in(&self, connection: &mut PgConnection, claim: &Claim<Postgres>) -> Result<Held, LedgerError> {
        claim.complete_in(connection, "done").await
    }

    async fn expire_all(&self, connection: &mut PgConnection) {
        run(connection, "UPDATE seaworthy_ledger SET lease_until = clock_timestamp() WHERE state = 0").await;
    }

    async fn fail_all(&self, connection: &mut PgConnection) {
        run(connection, "UPDATE seaworthy_ledger SET state = 2, finished_at = clock_timestamp()").await;
    }
}
