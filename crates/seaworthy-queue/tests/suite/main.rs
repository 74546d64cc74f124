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
mod cron;
/// Of the example of that name.
#[cfg(all(feature = "postgres", feature = "redis", feature = "sqlite"))]
#[path = "../../examples/dead_letters/tool/mod.rs"]
mod dead_letters;
mod doubles;
mod events;
mod invariants;
#[cfg(feature = "ledger")]
#[allow(dead_code, reason = "not every store needs all of them")]
mod ledger_scenarios;
#[allow(dead_code, reason = "not every store needs all of them")]
mod scenarios;
mod secrets;
mod settings;
#[cfg(feature = "sqlite")]
mod sqlite;
