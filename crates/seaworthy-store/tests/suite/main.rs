//! The store's tests, in one binary.

#[cfg(feature = "sqlite")]
mod sqlite;
