//! A stretch of leadership, and those who look at it and end it.

mod control;
mod guard;
mod handle;
mod state;
mod watch;

pub use control::{TermControl, TermOwner};
pub(crate) use handle::Keeper;
pub use handle::Term;
pub use watch::TermWatch;
