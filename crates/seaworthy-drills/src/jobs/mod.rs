//! Drills of the durable queue: processes that do jobs, and that are killed, stopped and replaced, on a store that is
//! killed, stopped and cut off.
//!
//! ```text
//!     Crowd ── processes on one place of their own (a file, a schema, a server), each of them `worker::run`
//!       │        Consumer ── a handler that notes each start and each end ── with a ledger: the effect is a row
//!       ▼
//!     a fault ── all that was accepted is done or dead ── judges, on the journals and on the rows of effects
//! ```
//!
//! Each drill is a row of the table that the program `jobs` prints. What a row measures comes from the journals of the
//! processes and from the tables that they wrote to, and nothing of it from what the queue counts itself.

pub mod drill;
pub mod judges;
pub mod program;
pub mod row;
pub mod setup;
pub mod store;
pub mod worker;

mod blips;
mod crash;
mod crowd;
mod job;
mod killed;
mod outage;
mod outcome;
mod place;
mod poison;
mod redrive;
mod rolling;
mod stopped;
#[cfg(feature = "servers")]
mod terminated;
mod work;
