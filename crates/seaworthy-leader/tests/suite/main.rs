//! The elector's tests, in one binary.

#[cfg(feature = "test-util")]
mod conformance;
mod doubles;
mod dropped;
mod elector;
mod events;
mod fence;
mod guard;
mod layer;
#[cfg(feature = "sqlite")]
mod sqlite;
