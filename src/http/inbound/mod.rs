//! How much time a request has, as its caller says: see [`InboundLayer`].

mod builder;
mod headers;
mod layer;
mod service;

pub use builder::InboundBuilder;
pub use layer::InboundLayer;
pub use service::InboundService;
