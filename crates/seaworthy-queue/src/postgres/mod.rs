//! Jobs in Postgres, for processes on any number of machines: one statement a request, in files of their own beside
//! this one.
//!
//! The tables are `seaworthy_job`, `seaworthy_dead_job` and `seaworthy_done_job`; [`migrate`] makes them. What a
//! program needs besides is SELECT, INSERT, UPDATE and DELETE on the three, and SELECT on `seaworthy_schema`. Any
//! number of queues are in the same tables.
//!
//! | | waits for a lock of |
//! |---|---|
//! | taking jobs | nobody: a row that is locked is passed over |
//! | extending, settling, cancelling | whoever has that very row |
//! | enqueuing | whoever enqueues the same id in a transaction that has not ended |
//!
//! # Waking
//! Whoever enqueues sends a notification, which comes with the commit. A process listens on one connection of its own
//! for each [`PgStore`], while a consumer waits, and asks at once when one comes; it asks every
//! [`poll`](crate::QueueBuilder::poll) in any case, which is all there is behind a pooler or on a caller's pool.
//!
//! # A job that follows from a transaction
//!
//! ```no_run
//! use seaworthy_queue::postgres::Postgres;
//! use seaworthy_queue::{Job, Queue};
//! use sqlx::{Connection, PgConnection};
//!
//! # #[derive(serde::Serialize, serde::Deserialize)]
//! # struct Mail { to: String }
//! # impl Job for Mail { const KIND: &str = "mail"; }
//! # type Done = Result<(), Box<dyn std::error::Error>>;
//! # async fn order(mails: Queue<Mail, Postgres>, mut connection: PgConnection) -> Done {
//! let mut transaction = connection.begin().await?;
//! sqlx::query("UPDATE invoice SET paid = true WHERE id = 17").execute(&mut *transaction).await?;
//! mails.enqueue_in(&mut transaction, Mail { to: "a@example.org".to_owned() }).await?;
//! transaction.commit().await?; // from here on, and not before, there is a mail to be sent
//! # Ok(())
//! # }
//! ```
//!
//! # Vacuum
//! A job that was done is a dead row until autovacuum comes by. Tables of queues are small and change all the time, so
//! that the default share of a fifth is too late once there is a backlog:
//!
//! ```sql
//! ALTER TABLE seaworthy_job SET (
//!     autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0
//! );
//! ```
//!
//! A transaction that stays open for long, in the same database, keeps all that died since from being removed.

mod dead;
mod engine;
mod enqueue;
mod handle;
mod rows;
mod settle;
mod statements;
mod take;
mod waking;

pub use engine::Postgres;
pub use seaworthy_store::postgres::{PgStore, PgStoreBuilder};

use seaworthy_store::StoreError;
use seaworthy_store::schema::PackageSchema;

static SCHEMA: PackageSchema = PackageSchema { package: "queue", major: 1, steps: &[include_str!("step_1.sql")] };
/// What installs it.
const CALL: &str = "seaworthy_queue::postgres::migrate";

/// Installs the tables of jobs, or brings them up to date; where they are there and as new it changes nothing.
///
/// Any number of processes may call it at once. It needs the right to create tables, and for a schema that is not there
/// to create that. The same statements stand in `docs/schema-postgres.sql`, for those with tools of their own.
///
/// # Errors
/// [`Refused`](seaworthy_store::ErrorClass::Refused) if a right is missing or the tables are of another major version,
/// [`Unavailable`](seaworthy_store::ErrorClass::Unavailable) if the server is not reached, or others keep the tables
/// for longer than a minute.
///
/// # Cancellation
/// Dropping it changes nothing, or all if the commit was on its way.
pub async fn migrate(store: &PgStore) -> Result<(), StoreError> {
    store.migrate(&SCHEMA).await
}
