//! A ledger's rows in Postgres: one statement a request, in files of their own beside this one.
//!
//! The tables are `seaworthy_ledger` and `seaworthy_ledger_step`; [`migrate`] makes them. What a program needs besides
//! is SELECT, INSERT, UPDATE and DELETE on both, and SELECT on `seaworthy_schema`.
//!
//! Work and its record in one transaction:
//!
//! ```no_run
//! use seaworthy_ledger::postgres::Postgres;
//! use seaworthy_ledger::{ClaimedIn, Key, Ledger};
//! use sqlx::{Connection, PgConnection};
//!
//! # async fn pay(ledger: Ledger<Postgres>, mut connection: PgConnection) -> Result<(), Box<dyn std::error::Error>> {
//! let key = Key::operation("pay", "invoice-17", "req-81f2")?;
//! let mut transaction = connection.begin().await?;
//! if let ClaimedIn::First(first) = ledger.claim_in(&mut transaction, &key).await? {
//!     sqlx::query("UPDATE invoice SET paid = true WHERE id = 17").execute(&mut *transaction).await?;
//!     assert!(ledger.store_in(&mut transaction, &first, "paid", "text/plain").await?.is_yes());
//!     transaction.commit().await?;
//! }
//! # Ok(())
//! # }
//! ```

mod claim;
mod engine;
mod handle;
mod in_transaction;
mod renew;
mod rows;
mod settle;
mod statements;
mod steps;

pub use engine::Postgres;
pub use seaworthy_store::postgres::{PgStore, PgStoreBuilder};

use seaworthy_store::StoreError;
use seaworthy_store::schema::PackageSchema;

static SCHEMA: PackageSchema = PackageSchema { package: "ledger", major: 1, steps: &[include_str!("step_1.sql")] };
/// What installs it.
const CALL: &str = "seaworthy_ledger::postgres::migrate";

/// Installs the ledger's tables, or brings them up to date; where they are there and as new it changes nothing.
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
