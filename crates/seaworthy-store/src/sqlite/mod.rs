//! A SQLite file for the processes of one machine.
//!
//! One connection a process writes, behind a fair queue, and a few read. A write begins with `BEGIN IMMEDIATE`, so that
//! it never finds out in its middle that another process was faster; while another process writes it is tried again
//! after 5 to 25 ms, which is fairer between processes than SQLite's own waiting. Whoever stops waiting leaves nothing
//! behind: a connection goes back only from a transaction that was committed, and any other is closed, which rolls
//! back.

mod builder;
mod class;
mod connections;
mod file;
mod lease;
mod migrate;
mod network;
mod package;
mod reading;
mod registry;
mod store;
mod writing;

pub use builder::{SqliteStoreBuilder, Synchronous};
pub use class::classified;
pub use lease::Lease;
pub use package::PackageStore;
pub use reading::Reading;
pub use store::SqliteStore;
pub use writing::Writing;
