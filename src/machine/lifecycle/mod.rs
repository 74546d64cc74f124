//! How a service starts, runs its tasks, and stops.

pub(crate) mod phase;
#[cfg(feature = "lifecycle")]
pub(crate) mod restart;
#[cfg(feature = "lifecycle")]
pub(crate) mod schedule;
pub(crate) mod streak;
#[cfg(feature = "lifecycle")]
pub(crate) mod task_set;
