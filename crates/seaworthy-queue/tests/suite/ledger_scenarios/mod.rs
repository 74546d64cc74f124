//! What must hold of a queue whatever its store, with a ledger before its service.

pub(crate) mod busy;
pub(crate) mod short_circuit;
mod switched;
