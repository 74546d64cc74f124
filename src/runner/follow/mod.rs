//! Loops that follow a stream of events: from the last cursor on, over any number of connections.

mod connection;
mod error;
mod run;
mod settings;
mod stream;

pub use error::{CursorGone, FollowError};
pub use settings::{Follow, OnPoison};
pub use stream::{EventStream, Streamed};

pub(super) use run::follow;
