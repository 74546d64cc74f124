//! Leaders by rows in Postgres, for processes on any number of machines: one statement a request, in files of their own
//! beside this one.
//!
//! The table is `seaworthy_lease`; [`migrate`] makes it, and `seaworthy_epoch` for [`PostgresEpochs`]. What a program
//! needs besides is SELECT, INSERT and UPDATE on it, and SELECT on `seaworthy_schema`. Whoever's transactions are
//! guarded needs SELECT and UPDATE on `seaworthy_lease`, and a search path that finds it, unless
//! [`PgStoreBuilder::schema`] says where it is.
//!
//! | to the row | takes the lock | waits for guarded transactions |
//! |---|---|---|
//! | an acquisition | `FOR UPDATE`, before it updates | yes, for a second, and is sent again |
//! | a renewal, a release | `FOR NO KEY UPDATE` | no |
//! | a guard | `FOR KEY SHARE`, to the end of its transaction | |
//!
//! # A transaction that only the leader commits
//!
//! ```no_run
//! use seaworthy_leader::Term;
//! use seaworthy_leader::postgres::Postgres;
//! use sqlx::{Connection, PgConnection};
//!
//! # async fn pay(term: Term<Postgres>, mut connection: PgConnection) -> Result<(), Box<dyn std::error::Error>> {
//! let mut transaction = connection.begin().await?;
//! term.guard(&mut transaction).await?; // no later term begins before this transaction has ended
//! sqlx::query("UPDATE invoice SET paid = true WHERE id = 17").execute(&mut *transaction).await?;
//! transaction.commit().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Call it in the outermost transaction, because going back to a savepoint gives up what was locked after it. A guard
//! in no transaction is [`Refused`](seaworthy_store::ErrorClass::Refused). In one that has a snapshot already
//! (REPEATABLE READ, SERIALIZABLE) it is [`Unavailable`](seaworthy_store::ErrorClass::Unavailable) if another term
//! began since; repeat the transaction. The server ends one whose statements, or the waits between them, take longer
//! than the elector's `transaction_limit`; one that has many short statements is the caller's to keep short.
//!
//! # Failover of the server
//!
//! To a standby that lags it can lose the last epochs, and give them out again. With synchronous replication
//! (`synchronous_standby_names`, and `synchronous_commit` not below `on`) it cannot. Without, an elector that has seen
//! a higher epoch puts the row right; it is only lost if nobody is left who did.

mod acquire;
mod advisory;
mod elector;
mod engine;
mod epochs;
mod guard;
mod read;
mod renew;
mod statements;

pub use advisory::{PgAdvisory, PgAdvisoryBuilder, PgFence};
pub use elector::PostgresElector;
pub use engine::Postgres;
pub use epochs::PostgresEpochs;
pub use seaworthy_store::postgres::{PgStore, PgStoreBuilder};

use seaworthy_store::StoreError;
use seaworthy_store::schema::PackageSchema;

static SCHEMA: PackageSchema = PackageSchema { package: "leader", major: 1, steps: &[include_str!("step_1.sql")] };
/// What installs it.
const CALL: &str = "seaworthy_leader::postgres::migrate";

/// Installs the tables of leases and epochs, or brings them up to date; where they are there and as new it changes
/// nothing.
///
/// Any number of processes may call it at once. It needs the right to create tables, and for a schema that is not there
/// to create that. The same statements stand in `docs/schema-postgres.sql`, for those with tools of their own.
///
/// # Errors
/// [`Refused`](seaworthy_store::ErrorClass::Refused) if a right is missing or the table is of another major version,
/// [`Unavailable`](seaworthy_store::ErrorClass::Unavailable) if the server is not reached, or others keep the table for
/// longer than a minute.
///
/// # Cancellation
/// Dropping it changes nothing, or all if the commit was on its way.
pub async fn migrate(store: &PgStore) -> Result<(), StoreError> {
    store.migrate(&SCHEMA).await
}
