//! Which callers hold a permit of a bulkhead, and which are waiting for one.

pub(crate) mod permits;
pub(crate) mod queue;
