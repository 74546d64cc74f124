//! Settings from data. Nothing is derived: each value is read by code that knows where it is, so that every error names
//! the path of its key, and is raised while the format can still tell the line.

pub(crate) mod agree;
pub(crate) mod duration;
pub(crate) mod leaf;
pub(crate) mod path;
pub(crate) mod table;
#[cfg(feature = "prober")]
pub(crate) mod value;
