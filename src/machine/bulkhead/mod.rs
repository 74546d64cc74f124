//! Which callers hold a permit of a bulkhead, and which wait for one.

pub(crate) mod permits;
pub(crate) mod queue;
