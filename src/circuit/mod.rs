//! A circuit breaker: fails requests at once while the backend is ill, so that callers do not wait for it and it is left
//! in peace to recover.
//!
//! ```text
//!              a rule is broken                     the open time is over, and a call comes
//!   closed ───────────────────────▶ open ─────────────────────────────────────────▶ half-open
//!     ▲                              ▲                                               │     │
//!     │                              └─────────── not enough probes can succeed ─────┘     │
//!     └────────────────────────────────────────── enough probes succeeded ─────────────────┘
//! ```
//!
//! | state | a request |
//! |---|---|
//! | closed | passes; how it went is counted |
//! | open | is rejected with [`Rejected::CircuitOpen`](crate::Rejected::CircuitOpen), the inner service untouched |
//! | half-open | passes if a probe's slot is free, else is rejected |
//!
//! The [`Circuit`] owns the state. [`Circuit::layer`] puts it around a service; [`Circuit::run`] around a future;
//! [`Circuit::admit`] around anything.
//!
//! # What is counted
//! A call is settled once, with a [`Verdict`](crate::Verdict): by the classifier when it ends, as a failure when it
//! panics, as [`OnDrop`] says when it is dropped. It counts only if the circuit is still in the same
//! [generation](Snapshot::generation) as when the call was let in: a late answer neither closes nor reopens anything. A
//! probe that never ends is given up after the [probe timeout](CircuitBuilder::probe_timeout), so that nothing can leave
//! the circuit rejecting a healthy service for ever.
//!
//! # Differences from other breakers
//! - Half-open lets exactly as many calls pass as there are probes, not everybody.
//! - The count window slides with every verdict. It is not cut into batches.
//! - An open circuit is ready and rejects in `call`. It is never an error of `poll_ready`, which would end a
//!   `tower::buffer::Buffer` for good and make a balancer drop the endpoint.
//! - The error type of the service stays as it is: see [`StackError`](crate::StackError).

mod builder;
mod bulk;
mod check;
mod classified;
mod classify;
mod config;
mod core;
mod future;
mod handle;
mod held;
mod hold;
mod layer;
mod permit;
mod service;
#[cfg(test)]
mod tests;
mod ticket;
mod waiting;
mod word;

pub(crate) use classify::judge;
pub(crate) use ticket::{Refusal, Ticket};

pub use builder::CircuitBuilder;
pub(crate) use builder::CircuitTemplate;
pub use classified::ClassifiedCircuit;
pub use classify::{Classify, ErrorClassifier};
pub use future::ResponseFuture;
pub use handle::{Circuit, Snapshot};
pub use hold::Hold;
pub use layer::CircuitBreakerLayer;
pub use permit::Permit;
pub use service::CircuitBreaker;
pub(crate) use service::call_through;

pub use crate::machine::report::{Cause, Counts, State};
pub use crate::machine::settings::OnDrop;
