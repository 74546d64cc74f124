//! gRPC's health protocol, `grpc.health.v1`.

mod answer;
mod body;
mod future;
mod message;
mod message_reader;
#[cfg(feature = "prober")]
mod probing;
mod request;
mod service;
mod services;
mod watcher;

pub use body::GrpcHealthBody;
pub use future::GrpcHealthFuture;
pub use service::GrpcHealthService;

#[cfg(feature = "prober")]
pub(crate) use self::message::{request_for, status_in};
#[cfg(feature = "prober")]
pub(crate) use self::message_reader::{MessageError, MessageReader};
#[cfg(feature = "prober")]
pub(crate) use self::probing::{CHECK, grpc_message};
use crate::health::handle::Health;

/// With feature `grpc`.
impl Health {
    /// The gRPC health protocol, as a service: `/grpc.health.v1.Health/Check` and `/Watch`. Each call makes one with
    /// published services and watchers of its own.
    pub fn grpc_service(&self) -> GrpcHealthService {
        GrpcHealthService::new(self.clone())
    }
}
