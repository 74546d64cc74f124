//! A timeout: gives up a call that has not answered in time, and answers it with
//! [`Rejected::TimedOut`](crate::Rejected::TimedOut).
//!
//! ```text
//!   call ──▶ first poll of inner ──▶ answered ─────────────────▶ the answer; no timer, no clock
//!                   │
//!                   └──▶ pending: the time begins ──▶ answered in time ──▶ the answer
//!                                      │
//!                                      └──▶ time over: inner is dropped ──▶ TimedOut
//! ```
//!
//! | the inner service | a request |
//! |---|---|
//! | answers on its first poll | gets the answer; no timer was made and no clock read |
//! | answers in time | gets the answer, even if it comes at the very poll at which the time is over |
//! | has not answered when the time is over | is given up: the inner future is dropped, then the caller is told |
//! | panics | panics |
//!
//! # What is counted
//! The time begins when the first poll of the inner future has returned pending. What comes before does not count:
//! `poll_ready`, the time between `call` and the first poll, and the first poll itself. It ends with the response: for
//! HTTP that is the response head, and the body has limits of its own, in `http::BodyTimeoutLayer`.
//!
//! Timers are tokio's and count whole milliseconds, rounded up: a call is never given up early, and up to a millisecond
//! late.
//!
//! # Where to put it
//! Below the circuit, so that the circuit learns of calls that hang: a timeout above it drops the call, and
//! [dropped calls count as nothing](crate::OnDrop) unless the circuit is told otherwise.
//!
//! # Differences from `tower::timeout`
//! - The error type of the service stays as it is: see [`StackError`](crate::StackError).
//! - A timer is made when it is needed. `tower` makes one for each call, and starts it with the call.
//! - The inner future is dropped when the time is over, not when the caller drops the response future.
//! - It cannot be kept from its end by an inner future that uses up the cooperative budget of its task each time.
//! - Zero is a deadline that has passed, which an answer that is there at once still meets; a time too long to be told
//!   means no limit.

mod builder;
mod clock;
mod future;
mod handle;
mod layer;
mod limit;
mod notifier;
mod service;

pub use builder::TimeoutBuilder;
pub(crate) use clock::Clock;
pub use future::ResponseFuture;
pub use handle::Timeout;
pub use layer::TimeoutLayer;
pub use limit::{FixedTimeout, TimeoutFor};
pub use notifier::Limit;
pub(crate) use notifier::TimeoutNotifier;
pub use service::TimeoutService;
