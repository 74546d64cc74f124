//! Leaders by rows in Postgres, for processes on any number of machines.
//!
//! The table is `seaworthy_lease`; [`migrate`] makes it.

pub use seaworthy_store::postgres::{PgStore, PgStoreBuilder};

use seaworthy_store::StoreError;
use seaworthy_store::schema::PackageSchema;

const SCHEMA: PackageSchema = PackageSchema { package: "leader", major: 1, steps: &[include_str!("step_1.sql")] };

/// Installs the table of leases, or brings it up to date; where it is there and as new it changes nothing.
///
/// Any number of processes may call it at once. It needs the right to create tables, and for a schema that is not there
/// to create that.
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
