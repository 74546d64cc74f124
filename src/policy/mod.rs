//! Policies: a circuit breaker, a bulkhead, a timeout and, if wanted, retries, bundled under one name and in the right
//! order.
//!
//! ```text
//!   call ──▶ total timeout ──▶ retry ──▶ circuit breaker ──▶ bulkhead ──▶ timeout ──▶ inner
//!                                ▲          │ open              │ full       │ time is up
//!                                └──────────┴───────────────────┴────────────┘
//! ```
//!
//! | part | a call |
//! |---|---|
//! | total timeout | is given up with all its attempts if it takes too long; the circuit breaker sees a dropped call |
//! | retry | is made again if it failed and the policy has retries; by default not if it never reached the backend |
//! | circuit breaker | is rejected at once while the backend is unhealthy, however full the bulkhead is |
//! | bulkhead | takes a permit, waits for one, or is rejected, which the circuit breaker ignores |
//! | timeout | is given up if it takes too long once it has its permit, which the circuit breaker counts as a failure |
//!
//! For HTTP there are also limits for the bodies: see [`Policy::http_layer`](crate::Policy) with feature `http`.
//! Without them the timeouts end with the head of a response. There, calls can also go on until their bodies have
//! ended: `PolicyBuilder::until_body_end`.
//!
//! [`Policy::layer`](crate::Policy::layer) puts it around a service, [`Policy::run`](crate::Policy::run) around the
//! methods of anything; both share the parts. [`Class`] distinguishes calls: some may take longer, and a ping should
//! not wait for a permit.
//!
//! # From data
//! With feature `serde`, [`Policies`](crate::Policies) are read from TOML, JSON or any other self-describing format of
//! serde: one table per policy, under its name. The keys are the names of the setters, all of which
//! `examples/policies.toml` shows; a part that is not named is left out, and anything left out of a part has its
//! default. Durations are text, exact to the nanosecond: numbers with their units (ns, us, ms, s, min, h, days, weeks,
//! months, years), as in "1min 30s" or "1.5h". Unknown keys, duplicate keys, zeros (except for a budget's `floor` and
//! `refill_per_second`) and contradictions are errors; each names the path of its key. What data cannot express, such
//! as observers, shared parts, seeds for tests and retries without a wait, is added by code: see `PoliciesBuilder`.
//!
//! ```
//! # #[cfg(feature = "serde")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use seaworthy::Policies;
//!
//! let policies: Policies = toml::from_str(r#"
//!     [compute]
//!     timeout = "2min"
//!     circuit_breaker = { consecutive_failures = 5, open_for = "30s", success_threshold = 2 }
//!     bulkhead = { limit = 20, max_wait = "10s" }
//!     classes.ping = { timeout = "5s", bulkhead = false }
//! "#)?;
//! let compute = policies.get("compute")?;
//! let ping = compute.class("ping")?;
//! # let _ = ping;
//!
//! let wrong = toml::from_str::<Policies>("[dns]\ntimeout = \"0s\"").unwrap_err();
//! assert_eq!(wrong.message(), "dns.timeout: must be longer than zero");
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "serde"))]
//! # fn main() {}
//! ```
//!
//! # Differences from layers put together by hand
//! - A call that waited for its permit is admitted again when it has it. If the circuit has opened meanwhile the call
//!   is rejected, and the backend is left alone; while it waits it is no probe. Layers cannot do this: the circuit
//!   breaker's has let the call pass before the bulkhead's made it wait, so that all queued calls reach a backend that
//!   has just been found unhealthy.
//! - A call costs one reference count for all parts, none through `run` or once the policy has been
//!   [leaked](crate::Policy::leak), and its future is smaller.
//! - The timeout has a name in events: the policy's.
//! - Which parts there are is decided at run time, so that a policy can be read from a file.
//! - It does not have the circuit breaker's wait mode; build that by hand around the same handles, which
//!   [`Policy::circuit_breaker`](crate::Policy::circuit_breaker) and [`Policy::bulkhead`](crate::Policy::bulkhead)
//!   return.

pub(crate) mod admission;
mod again;
mod attempts;
mod bodies;
mod builder;
mod check;
mod class;
mod classified;
#[cfg(feature = "serde")]
mod data;
pub(crate) mod error;
mod fallback;
mod future;
pub(crate) mod handle;
mod kept;
mod layer;
mod once;
mod part;
mod permit;
mod run;
mod run_future;
mod run_held;
mod service;
pub(crate) mod set;
#[cfg(test)]
mod tests;
mod total;
pub(crate) mod unknown_name;

pub use again::{WithRetry, WithoutRetry};
#[cfg(feature = "http")]
pub(crate) use bodies::BodySettings;
pub use builder::PolicyBuilder;
pub use class::{Class, ClassFor};
pub use classified::ClassifiedPolicy;
#[cfg(feature = "serde")]
pub use data::PoliciesBuilder;
pub use fallback::{PolicyFallbackCall, PolicyFallbackLayer};
pub use future::ResponseFuture;
pub use handle::Snapshot;
pub use kept::{PolicyFuture, PolicyKept};
pub use layer::PolicyLayer;
pub use once::OnceFuture;
pub use permit::Permit;
pub use run::PolicyCall;
pub use run_future::{MakeAttempt, PolicyRun, WithPermit, WithoutPermit};
pub use run_held::PolicyRunHeld;
pub use service::PolicyService;
