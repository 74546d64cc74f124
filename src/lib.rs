#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![warn(unreachable_pub, clippy::print_stderr, clippy::print_stdout)]
// A request takes no path that can panic for want of a value.
#![cfg_attr(not(test), warn(clippy::expect_used, clippy::unwrap_used))]

mod error;
mod event;
mod lift;
mod machine;
mod name;
mod random;
mod sync;
mod time;
mod tracing_observer;

pub mod bulkhead;
pub mod circuit;
pub mod fallback;
#[cfg(feature = "http")]
pub mod http;
pub mod keyed;
pub mod retry;
pub mod timeout;

pub use bulkhead::{Slot, Slots};
pub use circuit::{Circuit, Classify, ErrorClassifier, OnDrop, Permit, State};
pub use error::{BoxError, ConfigError, Error, Rejected, StackError};
pub use event::{ErrorText, Event, Observer};
pub use fallback::{Covers, Fallback, FallbackLayer};
pub use keyed::Keyed;
pub use lift::{Lift, LiftFuture, LiftLayer};
pub use machine::backoff::{Backoff, Jitter};
pub use machine::verdict::Verdict;
pub use name::Name;
pub use retry::{RetryBudget, RetryIf, RetryPolicy};
pub use timeout::{Timeout, TimeoutFor, TimeoutLayer};
pub use tracing_observer::TracingObserver;
