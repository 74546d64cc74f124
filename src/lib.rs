#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(missing_docs)]
#![warn(unreachable_pub, clippy::print_stderr, clippy::print_stdout)]
// No path of a request can panic for lack of a value.
#![cfg_attr(not(test), warn(clippy::expect_used, clippy::unwrap_used))]

#[macro_use]
mod accessors;
#[cfg(feature = "serde")]
mod data;
mod error;
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

pub mod bulkhead;
pub mod circuit_breaker;
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

pub use bulkhead::Bulkhead;
pub use circuit_breaker::{CircuitBreaker, Classify, ErrorClassifier, OnDrop, State};
pub use error::wrap::{WrapError, WrapErrorFuture, WrapErrorLayer};
pub use error::{BoxError, ConfigError, Error, Rejected, RetryAfter, StackError};
pub use fallback::Fallback;
pub use health::{AsyncCheck, Check, Health, Status};
pub use keyed::Keyed;
pub use machine::lifecycle::phase::Phase;
pub use machine::retry::backoff::{Backoff, Jitter};
pub use machine::verdict::Verdict;
pub use name::Name;
pub use observe::event::Event;
#[cfg(feature = "metrics")]
pub use observe::metrics::MetricsObserver;
pub use observe::observer::Observer;
pub use observe::tracing::TracingObserver;
pub use policy::{Policies, Policy, PolicyError, UnknownName};
pub use retry::lent::Lent;
pub use retry::{RetryBudget, RetryIf, RetryPolicy};
#[cfg(feature = "lifecycle")]
pub use runner::{RunError, Runner, RunnerHandle};
#[cfg(feature = "tower")]
pub use service_builder::ServiceBuilderExt;
pub use shared::SharedLayer;
pub use shutdown::{Shutdown, ShutdownTrigger};
pub use timeout::{Timeout, TimeoutLayer};

/// HC-20: its code is compiled and run.
#[cfg(all(doctest, feature = "http"))]
#[doc = include_str!("../docs/beside.md")]
struct Beside;
