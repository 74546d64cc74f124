//! Retries: tries failed requests again, so that callers do not notice a backend's short failures, and stops in time so
//! that long ones are not made longer.
//!
//! ```text
//!   request ──▶ attempt ──▶ a result that is not retried ─────────▶ caller
//!                 ▲  │
//!                 │  └────▶ one that is: attempts left? in time? a copy? a token? ── no ──▶ caller
//!                 │                                       │ yes
//!                 └── inner service is ready ◀── wait ◀───┘
//! ```
//!
//! The caller always gets the result of the last attempt unchanged, at once, with no wait after it. How many attempts
//! were made and why there were no more is reported to the [`Observer`](crate::Observer), as
//! [`RetryEvent::Retried`](crate::observe::RetryEvent::Retried) and
//! [`RetryEvent::Stopped`](crate::observe::RetryEvent::Stopped).
//!
//! A [`RetryPolicy`](crate::RetryPolicy) holds the rules and the [`RetryBudget`](crate::RetryBudget).
//! [`RetryPolicy::layer`](crate::RetryPolicy::layer) puts it around a service, and
//! [`RetryPolicy::run`](crate::RetryPolicy::run) around a closure that makes a future. [`RetryIf`](crate::RetryIf)
//! decides which results are retried, and [`Replay`] copies requests.
//!
//! # Where it belongs
//! Outside the circuit breaker and inside a total timeout: each attempt is admitted and judged on its own, and a
//! request that waits for its next attempt holds neither a permit nor a probe.
//!
//! ```
//! use seaworthy::{BoxError, CircuitBreaker, RetryPolicy};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let retry = RetryPolicy::builder("parser").build()?;
//! let circuit_breaker = CircuitBreaker::builder("parser").build()?;
//! let service = ServiceBuilder::new()
//!     .layer(retry.layer())
//!     .layer(circuit_breaker.layer())
//!     .service(service_fn(async |text: &'static str| Ok::<u8, BoxError>(text.parse()?)));
//!
//! assert_eq!(service.oneshot("7").await?, 7);
//! # Ok(())
//! # }
//! ```
//!
//! # Differences from `tower::retry`
//! - A policy consists of settings; only two parts are code, each a closure or a type.
//! - There is a budget from the start, and it is never overdrawn. tower's rounds down what a retry costs, so that at a
//!   ratio of 0.6 every request may be retried.
//! - A failed attempt's future and result are gone before the wait.
//! - A wait of zero is no wait and never goes through a timer.

pub(crate) mod budget;
mod builder;
pub(crate) mod decide;
mod future;
pub(crate) mod grpc_rules;
mod in_progress;
mod layer;
pub(crate) mod lent;
mod pause;
pub(crate) mod policy;
mod replay;
mod run;
mod selective;
mod service;
#[cfg(test)]
mod tests;

pub use budget::RetryBudgetBuilder;
pub use builder::RetryBuilder;
pub use decide::{ByResult, RetryErrors, RetryIfFor};
pub use future::ResponseFuture;
pub use layer::RetryLayer;
pub(crate) use pause::Pause;
pub(crate) use policy::Ask;
pub use replay::{CloneReplay, Replay};
pub use run::RetryRun;
pub use selective::SelectiveRetry;
pub use service::RetryService;

pub use crate::machine::retry::attempts::{Decision, StopReason};
