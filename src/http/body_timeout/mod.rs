//! Limits for bodies: see [`BodyTimeoutLayer`].

mod body;
mod builder;
mod layer;
mod service;
mod watch;

pub use body::TimeoutBody;
pub use builder::BodyTimeoutBuilder;
pub use layer::BodyTimeoutLayer;
pub use service::{BodyTimeoutFuture, BodyTimeoutService};
