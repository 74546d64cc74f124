//! Gives each request a deadline, and turns away what comes too late.
//!
//! A [`Deadline`](crate::Deadline) belongs to a call, and travels with it to everything below: see
//! [`Context`](crate::Context). It ends nothing by itself. What is below consults it:
//!
//! | | what it does once the deadline has passed | `stage` |
//! |---|---|---|
//! | [`DeadlineLayer`], `http::InboundLayer` | rejects what arrives | `Arrival` |
//! | [`CircuitBreaker`](crate::CircuitBreaker) | admits no call, and counts nothing | `Arrival` |
//! | [`Bulkhead`](crate::Bulkhead) | gives no permit to what arrives; ends a wait in its queue | `Arrival`; `Queue` |
//! | [`Timeout`](crate::Timeout) | ends the call, if that comes before its own limit | `Attempt` |
//! | [`RetryPolicy`](crate::RetryPolicy) | begins no attempt, and no wait that would end later | the last result |
//! | [`Policy`](crate::Policy) | all of these, whether or not it has a timeout | |
//! | `http::BodyTimeoutLayer::deadline` | ends the body | `Body` |
//! | `http::OutboundLayer` | sends nothing; before that, it tells the next hop what is left | `Arrival` |
//!
//! The rejection is [`Rejected::DeadlineExceeded`](crate::Rejected::DeadlineExceeded) with that `stage`.
//!
//! A circuit breaker that sees a call end with such a rejection counts nothing if the backend was never called, and
//! otherwise goes by [`on_deadline`](crate::circuit_breaker::CircuitBreakerBuilder::on_deadline).
//!
//! Where there is no deadline, none of this costs more than a glance at a thread-local value. Where there is one, the
//! clock is read once in `call` and at most once more in each poll, however many layers look.
//!
//! # Differences from a timeout
//! A timeout is a layer's own and begins anew with each call, each attempt and each service. A deadline is the
//! caller's, is the same for everything below, and crosses to other processes as the time that is left.
//!
//! [`DeadlineLayer`]: crate::DeadlineLayer

mod deadline_for;
pub(crate) mod future;
pub(crate) mod layer;
pub(crate) mod service;

pub use deadline_for::{Arrival, DeadlineFor, FixedDeadline};
pub use future::ResponseFuture;
pub use service::DeadlineService;
