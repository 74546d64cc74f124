//! Policies from data.

mod parts;
mod policies;

pub use policies::PoliciesBuilder;
