//! Who may become leader of a name.

pub(crate) mod board;
pub(crate) mod builder;
mod campaigning;
pub(crate) mod lease;
mod owner;
mod renewing;
pub(crate) mod requests;
mod seam;
pub(crate) mod telling;

pub use builder::ElectorBuilder;
pub use lease::LeaseElector;
pub use seam::{Elector, Pace};
