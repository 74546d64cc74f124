//! The events that observers receive: an enum for each pattern.

mod bulkhead;
mod circuit_breaker;
mod deadline;
mod error_ref;
mod extension;
mod fallback;
mod health;
mod keyed;
mod measure;
mod probe;
mod retry;
mod runner;
mod timeout;

use std::panic::{RefUnwindSafe, UnwindSafe};

pub use bulkhead::BulkheadEvent;
pub use circuit_breaker::CircuitBreakerEvent;
pub use deadline::DeadlineEvent;
pub use error_ref::ErrorRef;
pub use extension::{ExtensionEvent, Severity};
pub use fallback::FallbackEvent;
pub use health::HealthEvent;
pub use keyed::{EvictionCause, KeyedEvent};
pub use measure::{ExtensionMetric, Measure, MeasureValue};
pub use probe::ProbeEvent;
pub(crate) use retry::Balance;
pub use retry::{BudgetRef, RetryEvent};
pub use runner::RunnerEvent;
pub use timeout::{Limit, TimeoutEvent};

use super::interest::Interest;

/// Something that happened, reported to an [`Observer`](crate::Observer).
///
/// Those marked with † in their enums are reported only to observers that are interested in
/// [calls](Interest::Calls), the others to all.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Of a circuit breaker.
    CircuitBreaker(CircuitBreakerEvent<'a>),
    /// Of a bulkhead.
    Bulkhead(BulkheadEvent<'a>),
    /// Of a retry policy.
    Retry(RetryEvent<'a>),
    /// Of a timeout.
    Timeout(TimeoutEvent<'a>),
    /// Of a deadline.
    Deadline(DeadlineEvent<'a>),
    /// Of a fallback.
    Fallback(FallbackEvent<'a>),
    /// Of a family of handles.
    Keyed(KeyedEvent<'a>),
    /// Of a service and its checks.
    Health(HealthEvent<'a>),
    /// Of a runner's tasks.
    Runner(RunnerEvent<'a>),
    /// Of a prober's targets.
    Probe(ProbeEvent<'a>),
    /// From outside this crate: see [`ExtensionEvent`].
    Extension(&'a dyn ExtensionEvent),
}

/// It only shows what happened, and an extension's event belongs to the extension.
impl UnwindSafe for Event<'_> {}
impl RefUnwindSafe for Event<'_> {}

impl Event<'_> {
    /// The interest that an observer needs to receive this event.
    #[must_use]
    pub fn interest(&self) -> Interest {
        match self {
            Event::CircuitBreaker(event) => event.interest(),
            Event::Bulkhead(event) => event.interest(),
            Event::Retry(event) => event.interest(),
            Event::Timeout(event) => event.interest(),
            Event::Deadline(event) => event.interest(),
            Event::Fallback(event) => event.interest(),
            Event::Keyed(event) => event.interest(),
            Event::Health(event) => event.interest(),
            Event::Runner(event) => event.interest(),
            Event::Probe(event) => event.interest(),
            Event::Extension(event) => event.interest(),
        }
    }
}
