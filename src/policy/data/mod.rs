//! Policies from data. Nothing is derived: each value is read by something that knows where it is, so that every error
//! names the path of its key, and is made where the format can still tell the line.

mod leaf;
mod parts;
mod path;
mod policies;
mod table;

pub use policies::PoliciesBuilder;
