//! Whether a call is retried, when, and what pays for it.

pub(crate) mod attempts;
pub(crate) mod backoff;
pub(crate) mod budget;
