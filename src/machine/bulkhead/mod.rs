//! Who holds a permit of a bulkhead, and who waits for one.

pub(crate) mod permits;
pub(crate) mod queue;
