//! The phases of a service, and how many results in a row it takes to change a verdict.

pub(crate) mod phase;
pub(crate) mod streak;
