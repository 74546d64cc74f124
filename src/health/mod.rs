//! How a service is: its phase, the requests that it has in flight, and checks of what it needs.
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
//! [`Health`] owns all of it. [`Health::readiness_layer`] puts it around a service; [`Health::admit`] around anything.
//! With feature `http`, `Health::endpoints` answers load balancers and orchestrators.
//!
//! | | in the readiness layer | in a report and at the endpoints |
//! |---|---|---|
//! | [`require`](Health::require) | keeps requests away while it is down | is "ok" or "fail" |
//! | [`report`](Health::report) | is not asked | is "ok" or "degraded" |
//! | an [`AsyncCheck`] | is what its last run said | is run |
//!
//! A required circuit is up again as soon as a probe may pass, so that there are requests to probe with. Those that are
//! let in and are no probes are rejected by the circuit itself.
//!
//! A request that is let in costs a load for the phase at `poll_ready` and at `call`, a reference count, a count in and
//! out, and what the required checks cost. Nothing is allocated and no lock taken.

mod async_check;
mod check;
mod exempt;
mod future;
mod handle;
mod in_flight;
mod layer;
mod phase_word;
mod registry;
mod report;
mod service;

pub use async_check::{AsyncCheck, AsyncCheckBuilder, CheckRun};
pub use check::{Check, Status};
pub use exempt::{Exempt, NoneExempt};
pub use future::ResponseFuture;
pub use handle::Health;
pub use in_flight::InFlight;
pub use layer::ReadinessLayer;
pub use report::{CheckReport, Report, RunChecks};
pub use service::ReadinessService;
