//! A ledger's rows in a SQLite file, for the processes of one machine.
//!
//! What is only looked at (a key that is busy or done) takes no lock; what is changed is one short transaction that
//! has the file for itself. The row clock is the machine's wall clock, read when the lock is there, not before.

mod claim;
mod engine;
mod handle;
mod in_transaction;
mod row;
mod settling;
mod statements;

pub use engine::Sqlite;
pub use seaworthy_store::sqlite::{SqliteStore, SqliteStoreBuilder, Synchronous};
