//! The phases of a service, and what a check has to see before it changes its mind.

pub(crate) mod phase;
pub(crate) mod streak;
