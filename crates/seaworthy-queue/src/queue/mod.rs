//! The handle of a queue: accepting, cancelling, and the dead letters.

mod builder;
mod dead;
mod handle;
mod in_transaction;
mod request;

pub use builder::QueueBuilder;
pub use dead::{Dead, DeadPage};
pub(crate) use handle::Shared;
pub use handle::{Enqueued, Queue};
pub use request::EnqueueRequest;
