//! The ledger's tests, in one binary.

#[cfg(feature = "test-util")]
mod conformance;
mod doubles;
mod handle;
#[cfg(feature = "http")]
mod http;
mod idempotency;
mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;
