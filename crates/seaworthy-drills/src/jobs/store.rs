//! Where a drill's jobs are: `sqlite:/path/of/the/file`, `postgres://…` or `redis://…`.

use std::future::Future;

use seaworthy_faults::worker::Journals;
use seaworthy_queue::store::QueueStore;

use super::job::QUEUE;
use super::place::Place;
use crate::database::Database;
use crate::sqlite::SqliteFile;

/// A kind of store that drills have jobs in.
#[expect(private_interfaces, reason = "who runs drills names a store, and its places are the drills' own")]
pub trait JobStore: 'static {
    /// The engine.
    type Store: QueueStore + Clone;
    /// Where the ledger of its jobs is.
    type Base: Database + 'static;

    /// Opens what the URL says, with its tables.
    fn open(url: &str) -> impl Future<Output = Self::Store> + Send;

    /// One of its own for a drill, which kills its server if it says so.
    fn place(journals: &Journals, is_killed: bool) -> Place;
}

/// Jobs in a SQLite file.
#[derive(Debug)]
pub struct InSqlite;

#[expect(private_interfaces, reason = "as in the trait")]
impl JobStore for InSqlite {
    type Store = seaworthy_queue::sqlite::Sqlite;
    type Base = SqliteFile;

    async fn open(url: &str) -> Self::Store {
        let file = SqliteFile::open(url).await;
        seaworthy_queue::sqlite::Sqlite::new(QUEUE, file.sqlite_store())
    }

    fn place(journals: &Journals, _is_killed: bool) -> Place {
        Place::File(journals.directory().join("jobs.db"))
    }
}

/// Jobs in a schema of a Postgres.
#[cfg(feature = "servers")]
#[derive(Debug)]
pub struct InPostgres;

#[cfg(feature = "servers")]
#[expect(private_interfaces, reason = "as in the trait")]
impl JobStore for InPostgres {
    type Store = seaworthy_queue::postgres::Postgres;
    type Base = crate::postgres::PostgresSchema;

    async fn open(url: &str) -> Self::Store {
        let schema = crate::postgres::PostgresSchema::open(url).await;
        let store = schema.pg_store();
        seaworthy_queue::postgres::migrate(store).await.unwrap_or_else(|error| panic!("migrate: {error:?}"));
        seaworthy_queue::postgres::Postgres::new(QUEUE, store)
    }

    fn place(_journals: &Journals, is_killed: bool) -> Place {
        Place::in_postgres(is_killed)
    }
}

/// Jobs in a Redis; their ledger is in a SQLite file.
#[cfg(feature = "servers")]
#[derive(Debug)]
pub struct InRedis;

#[cfg(feature = "servers")]
#[expect(private_interfaces, reason = "as in the trait")]
impl JobStore for InRedis {
    type Store = seaworthy_queue::redis::Redis;
    type Base = SqliteFile;

    async fn open(url: &str) -> Self::Store {
        let store = seaworthy_queue::redis::RedisStore::connect(url).await;
        seaworthy_queue::redis::Redis::new(QUEUE, &store.unwrap_or_else(|error| panic!("{error:?}")))
    }

    fn place(journals: &Journals, _is_killed: bool) -> Place {
        Place::in_redis(journals)
    }
}
