//! The ledger's tests, in one binary.

mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;
