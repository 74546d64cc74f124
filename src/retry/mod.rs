//! Retries: tries failed requests again, so that a backend's short weakness stays hidden from callers, and stops in time
//! so that a long one is not made longer.
//!
//! ```text
//!   request ──▶ attempt ──▶ a result that is not to be retried ──▶ caller
//!                 ▲  │
//!                 │  └────▶ one that is: attempts left? in time? a copy? a token? ── no ──▶ caller
//!                 │                                       │ yes
//!                 └── inner service is ready ◀── wait ◀───┘
//! ```
//!
//! The caller always gets the result of the last attempt as it is, at once, without a wait after it. How many attempts
//! were made and why there were no more is told to the [`Observer`](crate::Observer), as
//! [`Event::Retried`](crate::Event::Retried) and [`Event::RetryStopped`](crate::Event::RetryStopped).
//!
//! A [`RetryPolicy`] has the rules and the [`RetryBudget`]. [`RetryPolicy::layer`] puts it around a service;
//! [`RetryPolicy::run`] around a closure that makes a future. [`RetryIf`] decides which results are tried again, and
//! [`Replay`] copies requests.
//!
//! # Where it belongs
//! Outside of the circuit breaker and inside of a total timeout: each attempt is admitted and judged by itself, and
//! whoever waits for the next one holds neither a permit nor a probe.
//!
//! ```
//! use seaworthy::{BoxError, CircuitBreaker, RetryPolicy};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let (retry, circuit_breaker) = (RetryPolicy::builder("parser").build()?, CircuitBreaker::builder("parser").build()?);
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
//! - The policy is made of settings; the parts that are code are two closures or types.
//! - A budget is there from the start and is never overdrawn. tower's rounds what a retry costs down, so that at
//!   a ratio of 0.6 every request may be retried.
//! - A failed attempt's future and result are gone before the wait.
//! - A wait of zero is none, and never goes through a timer.

mod budget;
mod builder;
mod decide;
mod future;
mod layer;
pub(crate) mod lent;
mod pause;
mod policy;
mod replay;
mod selective;
mod service;
#[cfg(test)]
mod tests;

pub(crate) use pause::Pause;
pub(crate) use policy::Ask;

pub use budget::{RetryBudget, RetryBudgetBuilder};
pub use builder::RetryBuilder;
pub use decide::{ByResult, RetryErrors, RetryIf, RetryIfFor};
pub use future::ResponseFuture;
pub use layer::RetryLayer;
pub use policy::RetryPolicy;
pub use replay::{CloneReplay, Replay};
pub use selective::SelectiveRetry;
pub use service::RetryService;

pub use crate::machine::retry::attempts::{Decision, StopReason};
