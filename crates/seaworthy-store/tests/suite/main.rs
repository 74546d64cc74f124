//! The store's tests, in one binary.

mod failure_modes;
mod packages;
mod shared;
#[cfg(feature = "sqlite")]
mod sqlite;
