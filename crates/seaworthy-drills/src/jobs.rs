//! Where a drill's jobs are: `sqlite:/path/of/the/file`, `postgres://…` or `redis://…#name`.

use std::future::Future;

use seaworthy_queue::store::QueueStore;
use serde::{Deserialize, Serialize};

/// What all queues of drills are called.
pub const QUEUE: &str = "drill";

/// What a job of a drill does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Work {
    /// How long it takes, in milliseconds.
    pub millis: u64,
    /// How it ends.
    pub end: End,
}

/// How the work of a job ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum End {
    /// Well.
    Well,
    /// With an error.
    Error,
    /// It aborts its process.
    Abort,
}

impl seaworthy_queue::Job for Work {
    const KIND: &str = "work";
}

/// A kind of store that drills have jobs in.
pub trait JobStore: 'static {
    /// The engine.
    type Store: QueueStore;

    /// Opens what the URL says, with its tables.
    fn open(url: &str) -> impl Future<Output = Self::Store> + Send;
}

/// Jobs in a SQLite file.
#[derive(Debug)]
pub struct InSqlite;

impl JobStore for InSqlite {
    type Store = seaworthy_queue::sqlite::Sqlite;

    async fn open(url: &str) -> Self::Store {
        use crate::database::Database;

        let file = crate::sqlite::SqliteFile::open(url).await;
        seaworthy_queue::sqlite::Sqlite::new(QUEUE, file.sqlite_store())
    }
}

/// Jobs in a schema of a Postgres.
#[cfg(feature = "servers")]
#[derive(Debug)]
pub struct InPostgres;

#[cfg(feature = "servers")]
impl JobStore for InPostgres {
    type Store = seaworthy_queue::postgres::Postgres;

    async fn open(url: &str) -> Self::Store {
        use crate::database::Database;

        let schema = crate::postgres::PostgresSchema::open(url).await;
        let store = schema.pg_store();
        seaworthy_queue::postgres::migrate(store).await.unwrap_or_else(|error| panic!("migrate: {error:?}"));
        seaworthy_queue::postgres::Postgres::new(QUEUE, store)
    }
}

/// Jobs in a Redis, whose keys begin with what follows the `#`.
#[cfg(feature = "servers")]
#[derive(Debug)]
pub struct InRedis;

#[cfg(feature = "servers")]
impl JobStore for InRedis {
    type Store = seaworthy_queue::redis::Redis;

    async fn open(url: &str) -> Self::Store {
        let (server, name) = url.split_once('#').unwrap_or((url, QUEUE));
        let store = seaworthy_queue::redis::RedisStore::builder(server).connect().await;
        let store = store.unwrap_or_else(|error| panic!("{error:?}"));
        seaworthy_queue::redis::Redis::new(name, &store)
    }
}
