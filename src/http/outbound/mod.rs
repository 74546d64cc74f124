//! What is left of a call's time, told to the service that it calls: see [`OutboundLayer`].

mod builder;
mod layer;
mod service;

pub use builder::OutboundBuilder;
pub use layer::OutboundLayer;
pub use service::{OutboundFuture, OutboundService};
