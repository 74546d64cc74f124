#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(missing_docs)]
#![warn(unreachable_pub, clippy::print_stderr, clippy::print_stdout)]
// No path of a request can panic for lack of a value.
#![cfg_attr(not(test), warn(clippy::expect_used, clippy::unwrap_used))]
// What a call needs that goes on in its response body is in many places, and nothing else uses it.
#![cfg_attr(not(feature = "http"), allow(dead_code, unreachable_pub, reason = "response bodies come with HTTP only"))]

#[macro_use]
mod accessors;
mod admission;
mod context;
#[cfg(feature = "serde")]
mod data;
mod error;
#[cfg(feature = "grpc")]
mod grpc;
mod machine;
mod name;
mod rt;
#[cfg(feature = "tower")]
mod service_builder;
mod shutdown;

/// The programs on that page are tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/shortest.md")]
struct Shortest;

/// The program on that page is a test.
#[cfg(doctest)]
#[doc = include_str!("../docs/workflows.md")]
struct Workflows;

pub mod bulkhead;
pub mod circuit_breaker;
pub mod deadline;
pub mod fallback;
pub mod health;
#[cfg(feature = "http")]
pub mod http;
pub mod keyed;
pub mod observe;
pub mod policy;
#[cfg(feature = "prober")]
pub mod prober;
pub mod retry;
#[cfg(feature = "lifecycle")]
pub mod runner;
#[cfg(feature = "server")]
pub mod server;
pub mod shared;
pub mod timeout;

pub use admission::classify::{Classify, ErrorClassifier};
pub use bulkhead::handle::Bulkhead;
pub use circuit_breaker::handle::CircuitBreaker;
pub use context::{Context, ContextFuture, Deadline};
pub use deadline::layer::DeadlineLayer;
pub use error::wrap::{WrapError, WrapErrorFuture, WrapErrorLayer};
pub use error::{BoxError, ConfigError, DeadlineStage, Error, Rejected, RetryAfter, StackError, TimeLimit};
pub use fallback::handle::Fallback;
pub use health::async_check::AsyncCheck;
pub use health::check::{Check, Status};
pub use health::handle::Health;
pub use keyed::handle::Keyed;
pub use machine::circuit_breaker::notice::State;
pub use machine::circuit_breaker::settings::{OnDeadline, OnDrop};
pub use machine::lifecycle::phase::Phase;
pub use machine::probe_state::{ProbeOutcome, ProbeState};
pub use machine::retry::backoff::{Backoff, Jitter};
pub use machine::verdict::Verdict;
pub use name::Name;
pub use observe::event::Event;
#[cfg(feature = "metrics")]
pub use observe::metrics::MetricsObserver;
pub use observe::observer::Observer;
pub use observe::tracing::TracingObserver;
pub use policy::error::PolicyError;
pub use policy::handle::Policy;
pub use policy::set::Policies;
pub use policy::unknown_name::UnknownName;
pub use retry::budget::RetryBudget;
pub use retry::decide::RetryIf;
pub use retry::lent::Lent;
pub use retry::policy::RetryPolicy;
#[cfg(feature = "lifecycle")]
pub use runner::failure::RunError;
#[cfg(feature = "lifecycle")]
pub use runner::handle::{Runner, RunnerHandle};
#[cfg(feature = "tower")]
pub use service_builder::ServiceBuilderExt;
pub use shared::service::SharedLayer;
pub use shutdown::{Shutdown, ShutdownTrigger};
pub use timeout::handle::Timeout;
pub use timeout::layer::TimeoutLayer;

/// HC-20: its code is compiled and run.
#[cfg(all(doctest, feature = "http"))]
#[doc = include_str!("../docs/beside.md")]
struct Beside;
