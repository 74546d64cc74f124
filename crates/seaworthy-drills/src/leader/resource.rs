//! What a leader writes to, in the database that has its lease. It notes by itself whatever it has accepted, in the
//! order in which that was committed: a process that was stopped after a write could not testify in time.

use std::future::Future;

use seaworthy_leader::store::{FencingStore, LeaseStore};
use seaworthy_leader::{ElectorBuilder, Term};

use crate::database::Database;

/// A row that compares nothing: whoever writes to it guards its transaction.
pub(super) const GUARDED: &str = "guarded";
/// A row that is written by `FENCE_SQL`.
pub(super) const FENCED: &str = "fenced";
/// A row that has the last tick of a cron, and is fenced in the same way.
pub(super) const CRON: &str = "cron";

/// A write that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Which row.
    pub row: String,
    /// What was written.
    pub data: i64,
    /// By whom.
    pub epoch: i64,
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Accepted,
    /// The fence held.
    Refused,
    /// The store failed.
    Failed(String),
}

/// A database with leases, and with rows that are fenced by them.
pub(super) trait Resource: Database {
    type Leases: LeaseStore + FencingStore<Connection = Self::Connection>;

    /// An elector with its own defaults.
    fn elector(&self) -> ElectorBuilder<Self::Leases>;

    /// Makes the tables, before any process works in them.
    fn prepare_rows(&self) -> impl Future<Output = ()> + Send;

    /// Connects, as [`Database::connect`], but may fail.
    fn reconnect(&self) -> impl Future<Output = Result<Self::Connection, String>> + Send;

    /// Writes to [`GUARDED`] in a transaction that the term guards.
    fn guarded(
        connection: &mut Self::Connection,
        term: &Term<Self::Leases>,
        data: i64,
    ) -> impl Future<Output = Answer> + Send;

    /// The same without a look at any term: by its epoch alone.
    fn guarded_late(
        connection: &mut Self::Connection,
        leases: &Self::Leases,
        epoch: i64,
        data: i64,
    ) -> impl Future<Output = Answer> + Send;

    /// Writes by `FENCE_SQL`.
    fn fenced(
        connection: &mut Self::Connection,
        row: &'static str,
        epoch: i64,
        data: i64,
    ) -> impl Future<Output = Answer> + Send;

    /// Gives the row this epoch, so that nobody with an older one can change it any more, and reads it. None if a newer
    /// one has.
    fn take(
        connection: &mut Self::Connection,
        row: &'static str,
        epoch: i64,
    ) -> impl Future<Output = Result<Option<i64>, String>> + Send;

    /// All that was accepted, the earliest first.
    fn accepted(&self) -> impl Future<Output = Vec<Accepted>> + Send;
}

/// The statements are the same for each driver, whose types have nothing in common that one could write them on.
macro_rules! resource_by {
    ($database:ty, $connection:ty, $leases:ty, $elector:path, $begin:literal, [$($table:literal),+ $(,)?]) => {
        impl $crate::leader::resource::Resource for $database {
            type Leases = $leases;

            fn elector(&self) -> seaworthy_leader::ElectorBuilder<$leases> {
                $elector(self.leases_in())
            }

            async fn prepare_rows(&self) {
                self.prepare_leases().await;
                let mut connection = $crate::database::Database::connect(self).await;
                for table in [$($table),+] {
                    sqlx::Executor::execute(&mut connection, table).await.unwrap_or_else(|error| panic!("{table}: {error}"));
                }
                for row in ["guarded", "fenced", "cron"] {
                    let insert = sqlx::query("INSERT INTO my_table (id, data, epoch) VALUES ($1, 0, 0)").bind(row);
                    insert.execute(&mut connection).await.unwrap_or_else(|error| panic!("{row}: {error}"));
                }
            }

            async fn reconnect(&self) -> Result<$connection, String> {
                self.connect_at_once().await.map_err(|error| error.to_string())
            }

            async fn guarded(
                connection: &mut $connection,
                term: &seaworthy_leader::Term<$leases>,
                data: i64,
            ) -> $crate::leader::resource::Answer {
                use $crate::leader::resource::Answer;

                let written = async {
                    let mut transaction = sqlx::Connection::begin_with(connection, $begin).await?;
                    match term.guard(&mut transaction).await {
                        Ok(()) => {}
                        Err(error) if error.is_over() => return Ok(Answer::Refused),
                        Err(error) => return Ok(Answer::Failed(error.to_string())),
                    }
                    let epoch = i64::try_from(term.epoch().get()).expect("a drill's epochs are small");
                    write_guarded(&mut transaction, data, epoch).await?;
                    transaction.commit().await?;
                    Ok(Answer::Accepted)
                };
                written.await.unwrap_or_else(|error: sqlx::Error| Answer::Failed(error.to_string()))
            }

            async fn guarded_late(
                connection: &mut $connection,
                leases: &$leases,
                epoch: i64,
                data: i64,
            ) -> $crate::leader::resource::Answer {
                use seaworthy_leader::store::FencingStore;
                use $crate::leader::resource::Answer;

                let (name, limit) = (seaworthy::Name::from("drill"), std::time::Duration::from_millis(700));
                let written = async {
                    let mut transaction = sqlx::Connection::begin_with(connection, $begin).await?;
                    match leases.guard(&mut transaction, &name, epoch.unsigned_abs(), limit).await {
                        Ok(true) => {}
                        Ok(false) => return Ok(Answer::Refused),
                        Err(error) => return Ok(Answer::Failed(error.to_string())),
                    }
                    write_guarded(&mut transaction, data, epoch).await?;
                    transaction.commit().await?;
                    Ok(Answer::Accepted)
                };
                written.await.unwrap_or_else(|error: sqlx::Error| Answer::Failed(error.to_string()))
            }

            async fn fenced(
                connection: &mut $connection,
                row: &'static str,
                epoch: i64,
                data: i64,
            ) -> $crate::leader::resource::Answer {
                use $crate::leader::resource::Answer;

                let write = sqlx::query(seaworthy_leader::FENCE_SQL).bind(data).bind(epoch).bind(row);
                match write.execute(connection).await {
                    Ok(written) if written.rows_affected() == 1 => Answer::Accepted,
                    Ok(_) => Answer::Refused,
                    Err(error) => Answer::Failed(error.to_string()),
                }
            }

            async fn take(
                connection: &mut $connection,
                row: &'static str,
                epoch: i64,
            ) -> Result<Option<i64>, String> {
                let take = "UPDATE my_table SET epoch = $1 WHERE id = $2 AND epoch <= $1 RETURNING data";
                let take = sqlx::query_scalar(take).bind(epoch).bind(row);
                take.fetch_optional(connection).await.map_err(|error| error.to_string())
            }

            async fn accepted(&self) -> Vec<$crate::leader::resource::Accepted> {
                let mut connection = $crate::database::Database::connect(self).await;
                let all = sqlx::query_as("SELECT id, data, epoch FROM history ORDER BY number");
                let all: Vec<(String, i64, i64)> = all.fetch_all(&mut connection).await.expect("the table is there");
                let accepted = |(row, data, epoch)| $crate::leader::resource::Accepted { row, data, epoch };
                all.into_iter().map(accepted).collect()
            }
        }

        async fn write_guarded(connection: &mut $connection, data: i64, epoch: i64) -> Result<(), sqlx::Error> {
            let write = sqlx::query("UPDATE my_table SET data = $1, epoch = $2 WHERE id = 'guarded'");
            write.bind(data).bind(epoch).execute(connection).await.map(drop)
        }
    };
}
pub(crate) use resource_by;
