//! Who is told what happens.
//!
//! ```text
//!   a handle ──▶ its Notifier ──▶ Observer::on_event(&Event) ──▶ TracingObserver: a line in the log
//!                    │                                      ├──▶ MetricsObserver: counters, gauges, histograms
//!                    └──▶ nothing is made of what nobody        └──▶ yours: a closure will do
//!                         is interested in
//! ```
//!
//! A handle tells the observer that its builder was given. Where it was given none, that is the one of
//! [`set_default`], and where there is none either, [`TracingObserver`](crate::TracingObserver).
//!
//! Each pattern has an enum of its own in [`Event`](crate::Event); what is outside of this crate tells the same
//! observers, by [`Notifier`] and [`ExtensionEvent`].

mod default;
pub(crate) mod event;
pub(crate) mod interest;
#[cfg(feature = "metrics")]
pub(crate) mod metrics;
pub(crate) mod notifier;
pub(crate) mod observer;
pub(crate) mod source;
pub(crate) mod tracing;

pub use default::{DefaultAlreadySet, set_default};
pub use event::{
    BudgetRef, BulkheadEvent, CircuitBreakerEvent, ErrorRef, EvictionCause, ExtensionEvent, FallbackEvent, HealthEvent,
    KeyedEvent, ProbeEvent, RetryEvent, RunnerEvent, Severity, TimeoutEvent,
};
pub use interest::Interest;
pub use notifier::Notifier;
pub use source::Source;

pub use crate::machine::probe_state::{ProbeOutcome, ProbeState};
