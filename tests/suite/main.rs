//! One binary for all tests that need nothing special, because linking is what takes time.

#[cfg(feature = "serde")]
mod adapters;
mod auto_traits;
mod bulkhead;
mod circuit_breaker;
mod companions;
mod composition;
mod contract;
mod deadline;
mod documents;
#[cfg(feature = "serde")]
mod drills;
mod enums;
mod errors;
mod fallback;
mod gateway;
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "grpc")]
mod grpc_health;
mod health;
#[cfg(feature = "http")]
mod hops;
mod keyed;
mod metrics;
mod model;
mod observe;
mod policy;
#[cfg(feature = "prober")]
mod prober;
#[cfg(all(unix, feature = "server", feature = "lifecycle"))]
mod process;
mod property;
#[cfg(feature = "http")]
mod readme;
#[cfg(feature = "http")]
mod respond;
mod retry;
#[cfg(feature = "lifecycle")]
mod runner;
#[cfg(all(feature = "server", feature = "lifecycle"))]
mod server;
#[cfg(feature = "tower")]
mod service_builder;
mod shared;
#[cfg(feature = "tower")]
mod shed;
mod shutdown;
mod stack;
mod support;
mod timeout;
mod wait;
