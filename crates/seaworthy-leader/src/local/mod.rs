//! Leases in the memory of one process.

mod elector;
mod store;

pub use elector::LocalElector;
pub use store::Local;
