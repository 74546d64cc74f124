//! A timeout: gives up on a call that is not answered in time, and answers it with
//! [`Rejected::TimedOut`](crate::Rejected::TimedOut).
//!
//! ```text
//!   call ──▶ first poll of inner ──▶ answered ─────────────────▶ the response; no timer, no clock
//!                   │
//!                   └──▶ pending: the time starts ──▶ answered in time ──▶ the response
//!                                      │
//!                                      └──▶ time is up: inner is dropped ──▶ TimedOut
//! ```
//!
//! | the inner service | a request |
//! |---|---|
//! | answers on its first poll | gets the response; no timer is made and no clock read |
//! | answers in time | gets the response, even if it arrives in the same poll in which the time is up |
//! | has not answered when the time is up | is given up: the inner future is dropped, then the caller gets the error |
//! | panics | panics |
//!
//! # What is counted
//! The time starts when the first poll of the inner future has returned pending. What comes before does not count:
//! `poll_ready`, the time between `call` and the first poll, and the first poll itself. It ends with the response: for
//! HTTP that is the response head, and the body has its own limits, in `http::BodyTimeoutLayer`.
//!
//! Timers are tokio's and count whole milliseconds, rounded up: a call is never given up early, and at most a
//! millisecond late.
//!
//! # Where to put it
//! Below the circuit breaker, so that it learns of calls that hang: a timeout above it drops the call, and [dropped
//! calls count as nothing](crate::OnDrop) unless the circuit breaker is configured otherwise.
//!
//! # Differences from `tower::timeout`
//! - The service keeps its error type: see [`StackError`](crate::StackError).
//! - A timer is made only when it is needed. `tower` makes one for each call, and starts it with the call.
//! - The inner future is dropped when the time is up, not when the caller drops the response future.
//! - An inner future that uses up its task's cooperative budget on every poll cannot keep the timeout from firing.
//! - Zero is a deadline that has already passed, which a response available at once still meets; a duration the clock
//!   cannot represent means no limit.

mod builder;
mod clock;
mod future;
pub(crate) mod handle;
pub(crate) mod layer;
mod limit;
mod notifier;
mod service;

pub use builder::TimeoutBuilder;
pub(crate) use clock::Clock;
pub use future::ResponseFuture;
pub(crate) use future::given_up;
pub use limit::{FixedTimeout, TimeoutFor};
pub(crate) use notifier::TimeoutNotifier;
pub use service::TimeoutService;

pub use crate::observe::event::Limit;
