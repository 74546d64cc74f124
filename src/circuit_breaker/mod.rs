//! A circuit breaker: fails requests at once while the backend is unhealthy, so that callers do not wait for it and it
//! has a chance to recover.
//!
//! ```text
//!              a rule is broken                     the open time is over and a call arrives
//!   closed ───────────────────────▶ open ─────────────────────────────────────────▶ half-open
//!     ▲                              ▲                                               │     │
//!     │                              └─────────── too few probes can succeed ────────┘     │
//!     └────────────────────────────────────────── enough probes succeeded ─────────────────┘
//! ```
//!
//! | state | a request |
//! |---|---|
//! | closed | passes; its outcome is counted |
//! | open | is rejected with [`Rejected::CircuitOpen`](crate::Rejected::CircuitOpen), the inner service untouched |
//! | half-open | passes if a probe is free, otherwise is rejected |
//!
//! The [`CircuitBreaker`](crate::CircuitBreaker) owns the state.
//! [`CircuitBreaker::layer`](crate::CircuitBreaker::layer) puts it around a service,
//! [`CircuitBreaker::run`](crate::CircuitBreaker::run) around a future, and
//! [`CircuitBreaker::admit`](crate::CircuitBreaker::admit) around anything else.
//!
//! # What is counted
//! A call is settled once, with a [`Verdict`](crate::Verdict): by the classifier when it ends, as a failure when it
//! panics, and as [`OnDrop`](crate::OnDrop) says when it is dropped. It counts only if the circuit breaker is still in
//! the [generation](Snapshot::generation) that admitted the call: a late response neither closes nor reopens anything.
//! A probe that never ends is given up after the [probe timeout](CircuitBreakerBuilder::probe_timeout), so that nothing
//! can leave a circuit breaker rejecting calls to a healthy service for ever.
//!
//! # Differences from other breakers
//! - Half-open lets exactly as many calls pass as there are probes, not every call.
//! - The count window slides with every verdict. It is not cut into batches.
//! - An open circuit is ready and rejects in `call`. It is never an error of `poll_ready`, which would end a
//!   `tower::buffer::Buffer` for good and make a balancer drop the endpoint.
//! - The service keeps its error type: see [`StackError`](crate::StackError).

mod admission;
mod body;
mod builder;
mod classified;
mod config;
mod future;
pub(crate) mod handle;
mod layer;
mod open_guard;
mod packed_state;
mod permit;
mod service;
mod shared;
mod success_counter;
#[cfg(test)]
mod tests;
mod ticket;
mod waiting;

pub use builder::CircuitBreakerBuilder;
pub(crate) use builder::CircuitBreakerTemplate;
pub use classified::ClassifiedCircuitBreaker;
pub use future::{CircuitBreakerRun, ResponseFuture};
pub use handle::Snapshot;
pub use layer::CircuitBreakerLayer;
pub use open_guard::OpenGuard;
pub use permit::Permit;
pub use service::CircuitBreakerService;
pub(crate) use service::call_through;
pub(crate) use ticket::{Refusal, Ticket};

pub use crate::machine::circuit_breaker::notice::{Counts, TransitionCause};
