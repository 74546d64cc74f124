//! The ledger's tests, in one binary.

mod memory;
