//! Leaders by rows in a SQLite file, for the processes of one machine.
//!
//! What is only looked at (a lease that somebody holds) takes no lock; what is changed is one short transaction that
//! has the file for itself. The row clock is the machine's wall clock, read when the lock is there, not before.
//! Stepping it forward ends leases early, so that two may lead for as long as it was stepped by; stepping it back by
//! more than a lease ends the lease, too.

mod acquiring;
mod elector;
mod engine;
mod epochs;
mod row;
mod statements;

pub use elector::SqliteElector;
pub use engine::Sqlite;
pub use epochs::SqliteEpochs;
pub use seaworthy_store::sqlite::{SqliteStore, SqliteStoreBuilder, Synchronous};
