//! The ledger's tests, in one binary.
