//! A ledger's rows in the memory of one process.
//!
//! Nothing of it is durable: with the process go all rows, and a key that was done is unknown again.

mod clock;
mod finished;
mod slots;
mod store;
mod table;

pub use store::Memory;
