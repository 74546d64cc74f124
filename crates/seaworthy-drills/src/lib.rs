//! Tests of seaworthy's companions with real processes, `cargo test -p seaworthy-drills`, and against real servers,
//! which are started for them: with `--features servers`.
//!
//! The processes are of the program `drill-worker`, which is told by its arguments what to do, on which store, and
//! where to die. What it and the tests have in common is here.

#[cfg(unix)]
mod at_once;
#[cfg(unix)]
pub mod database;
#[cfg(unix)]
pub mod jobs;
#[cfg(unix)]
pub mod leader;
#[cfg(unix)]
pub mod options;
#[cfg(all(unix, feature = "servers"))]
pub mod postgres;
#[cfg(unix)]
pub mod sqlite;
#[cfg(unix)]
pub mod time;
#[cfg(unix)]
pub mod verdict;
