//! Jobs in a SQLite file, for the processes of one machine.
//!
//! A look takes no lock; what is handed out, accepted or settled is one short transaction that has the file for itself.
//! The row clock is the machine's wall clock, read when the lock is there, not before. A queue without jobs costs one
//! look every 200 ms a consumer; jobs that the same process enqueues are found at once.

mod accepting;
mod bury;
mod dead;
mod engine;
mod handle;
mod receiving;
mod row;
mod settling;
mod statements;
mod taking;
mod wakes;

pub use engine::Sqlite;
pub use seaworthy_store::sqlite::{SqliteStore, SqliteStoreBuilder, Synchronous};
