//! Jobs, from their acceptance to their end.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "tests drive the clock, and fail when something is wrong"
)]

#[cfg(feature = "test-util")]
mod conformance;
mod consumer;
mod doubles;
#[cfg(feature = "sqlite")]
mod sqlite;
