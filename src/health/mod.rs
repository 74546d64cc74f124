//! The health of a service: its phase, its requests in flight, and checks of what it depends on.
//!
//! ```text
//!                    exempt, as the health endpoints are
//!   a request ──┬────────────────────────────────────────────────────────▶ passes, and is not counted
//!               │    the phase is serving or draining, and all required checks are up
//!               ├────────────────────────────────────────────────────────▶ passes, and is in flight until answered
//!               │    else
//!               └────────────────────────────────────────────────────────▶ is rejected with `NotReady`
//! ```
//!
//! [`Health`](crate::Health) owns all of it. [`Health::readiness_layer`](crate::Health::readiness_layer) puts it around
//! a service, and [`Health::admit`](crate::Health::admit) around any other code. With feature `http`,
//! `Health::endpoints` answers load balancers and orchestrators.
//!
//! | | in the readiness layer | in a report and at the endpoints |
//! |---|---|---|
//! | [`require`](crate::Health::require) | keeps requests out while it is down | is "ok" or "fail" |
//! | [`report`](crate::Health::report) | is not asked | is "ok" or "degraded" |
//! | an [`AsyncCheck`](crate::AsyncCheck) | gives the result of its last run | is run |
//!
//! A required circuit breaker is up again as soon as a probe may pass, so that there are requests to probe with.
//! Requests that are let in without becoming probes are rejected by the circuit breaker itself.
//!
//! A request that is let in costs a load of the phase at `poll_ready` and at `call`, a reference count, an increment
//! and a decrement of the count, and the cost of the required checks. Nothing is allocated and no lock is taken.

mod admission;
pub(crate) mod async_check;
mod changes;
pub(crate) mod check;
mod exempt;
mod future;
pub(crate) mod handle;
mod handles;
mod in_flight;
mod layer;
mod phase_word;
mod registry;
mod report;
mod service;
#[allow(dead_code, reason = "the streams that need it are those of gRPC")]
mod watched;

pub use async_check::{AsyncCheckBuilder, CheckRun};
pub use exempt::{Exempt, NoneExempt};
pub use future::ResponseFuture;
pub use in_flight::InFlight;
pub use layer::ReadinessLayer;
pub use report::{CheckReport, Report, RunChecks};
pub use service::ReadinessService;
