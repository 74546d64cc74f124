//! What must hold of a queue whatever its store, each scenario once. The tests of memory and SQLite have them from here,
//! and so have the tests against servers.

pub(crate) mod blip;
pub(crate) mod closed;
#[cfg(target_os = "linux")]
pub(crate) mod leaks;
pub(crate) mod poison;
pub(crate) mod rolling;
pub(crate) mod slow;
pub(crate) mod stale;
pub(crate) mod stopped;
pub(crate) mod support;
