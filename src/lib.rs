#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(missing_docs)]
#![warn(unreachable_pub, clippy::print_stderr, clippy::print_stdout)]
// A request takes no path that can panic for want of a value.
#![cfg_attr(not(test), warn(clippy::expect_used, clippy::unwrap_used))]

mod audience;
mod bell;
#[cfg(feature = "serde")]
mod data;
mod error;
mod event;
mod handle;
mod lent;
mod lift;
mod machine;
#[cfg(feature = "metrics")]
mod metrics_observer;
mod name;
mod near;
mod observer;
mod panic;
mod plain;
mod random;
#[cfg(feature = "tower")]
mod service_builder;
mod shutdown;
mod sync;
mod time;
mod tracing_observer;

/// The programs of that page are tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/shortest.md")]
struct Shortest;

pub mod bulkhead;
pub mod circuit;
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

pub use bulkhead::{Slot, Slots};
pub use circuit::{Circuit, Classify, ErrorClassifier, OnDrop, Permit, State};
pub use error::{BoxError, ConfigError, Error, Rejected, RetryAfter, StackError};
pub use event::{ErrorText, Event, Forgotten, Place};
pub use fallback::{Covers, Fallback, FallbackLayer};
pub use health::{AsyncCheck, Check, Health, Status};
pub use keyed::Keyed;
pub use lent::Lent;
pub use lift::{Lift, LiftFuture, LiftLayer};
pub use machine::backoff::{Backoff, Jitter};
pub use machine::phase::Phase;
pub use machine::verdict::Verdict;
#[cfg(feature = "metrics")]
pub use metrics_observer::MetricsObserver;
pub use name::Name;
pub use observer::Observer;
pub use policy::{Policies, Policy, PolicyError, UnknownName};
pub use retry::{RetryBudget, RetryIf, RetryPolicy};
#[cfg(feature = "lifecycle")]
pub use runner::{RunError, Runner, RunnerHandle};
#[cfg(feature = "tower")]
pub use service_builder::ServiceBuilderExt;
pub use shared::SharedLayer;
pub use shutdown::{Shutdown, ShutdownTrigger};
pub use timeout::{Timeout, TimeoutFor, TimeoutLayer};
pub use tracing_observer::TracingObserver;

/// HC-20: the code in it is compiled and run.
#[cfg(all(doctest, feature = "http"))]
#[doc = include_str!("../docs/beside.md")]
struct Beside;
