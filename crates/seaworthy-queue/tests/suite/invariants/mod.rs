//! The invariants of queues on the stores that need no server.

mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;
