//! What a family of handles may let go of.

pub(crate) mod idleness;
