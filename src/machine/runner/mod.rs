//! Which tasks a runner has, when a periodic one is due, and whether a failed one is run again.

pub(crate) mod reconnect;
pub(crate) mod restart;
pub(crate) mod schedule;
pub(crate) mod task_set;
