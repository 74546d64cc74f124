//! Whether a call is tried again, when, and who pays for it.

pub(crate) mod attempts;
pub(crate) mod backoff;
pub(crate) mod budget;
