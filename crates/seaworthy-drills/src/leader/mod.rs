//! Drills of leadership: processes that lead, and that are killed, stopped, cut off and asked to end.
//!
//! ```text
//!     Group ── three processes on one place of their own (a file, a schema), each of them `worker::run`
//!       │        LeaderGuard ── work: guarded writes and a cron, which listen ── and `late`, which does not
//!       ▼
//!     a fault ── who leads next, and when ── judges, on the journals and on what the place has accepted
//! ```
//!
//! Each drill runs many groups at once, because it mostly waits, and is a row of the table that `failover` prints.

pub mod drill;
pub mod group;
pub mod judges;
pub mod row;
pub mod settings;
pub mod store;
pub mod worker;

mod fault;
mod file;
mod late;
mod mixed;
mod once;
mod outage;
mod resource;
#[cfg(feature = "servers")]
mod schema;
mod takeover;
mod terminations;
mod work;
