//! Events, and the observers that receive them.
//!
//! ```text
//!   a handle ──▶ its Notifier ──▶ Observer::on_event(&Event) ──▶ TracingObserver: a line in the log
//!                    │                                      ├──▶ MetricsObserver: counters, gauges, histograms
//!                    └──▶ no event is made if the observer      └──▶ yours: a closure will do
//!                         is not interested
//! ```
//!
//! A handle reports to the observer given to its builder; without one, to the default set with [`set_default`]; and
//! without that, to [`TracingObserver`](crate::TracingObserver).
//!
//! Each pattern has its own enum in [`Event`](crate::Event). Code outside this crate reports to the same observers with
//! [`Notifier`] and [`ExtensionEvent`], and gives values to metrics of its own with [`ExtensionMetric`].

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
    BudgetRef, BulkheadEvent, CircuitBreakerEvent, DeadlineEvent, ErrorRef, EvictionCause, ExtensionEvent,
    ExtensionMetric, FallbackEvent, HealthEvent, KeyedEvent, Measure, MeasureValue, ProbeEvent, RetryEvent,
    RunnerEvent, Severity, TimeoutEvent,
};
pub use interest::Interest;
pub use notifier::Notifier;
pub use source::Source;

pub use crate::rt::panic::panic_text;
