//! The store's tests, in one binary.

mod shared;
#[cfg(feature = "sqlite")]
mod sqlite;
