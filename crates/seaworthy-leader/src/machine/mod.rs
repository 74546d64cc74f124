//! The rules, pure: `now` and chance are arguments.

pub(crate) mod lease;
pub(crate) mod term;
pub(crate) mod waits;
