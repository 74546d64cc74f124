//! Jobs in the memory of this process.

mod store;

pub use store::Memory;
