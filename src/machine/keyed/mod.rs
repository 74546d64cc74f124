//! Which handles a family may evict.

pub(crate) mod idleness;
