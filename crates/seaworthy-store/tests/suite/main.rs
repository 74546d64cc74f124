//! The store's tests, in one binary.

mod packages;
mod shared;
#[cfg(feature = "sqlite")]
mod sqlite;
