mod bulkhead;
mod catalog;
mod circuit_breaker;
mod deadline;
mod extension;
mod fallback;
mod health;
mod keyed;
mod labels;
mod probe;
mod registry;
mod retry;
mod runner;
mod series;
#[cfg(test)]
mod tests;
mod timeout;

pub(crate) use registry::NamedSeries;

use super::event::Event;
use super::interest::Interest;
use super::observer::Observer;
use super::source::Source;
use crate::name::Name;

/// Counts and times everything for a dashboard, through the [`metrics`] facade (feature `metrics`).
///
/// Install a recorder, for instance an exporter for Prometheus, then give this to the builders. Names, types, units and
/// labels are stable, and listed in [docs/metrics.md](https://docs.rs/crate/seaworthy/latest/source/docs/metrics.md).
///
/// ```
/// use seaworthy::{CircuitBreaker, MetricsObserver, Bulkhead, TracingObserver};
///
/// let metrics = MetricsObserver::new();
/// // On its own it would replace the logs.
/// let observer = (TracingObserver, metrics);
/// let circuit_breaker = CircuitBreaker::builder("payments").observer(observer).build()?;
/// let bulkhead = Bulkhead::builder("payments").observer(observer).build()?;
/// # let _ = (circuit_breaker, bulkhead);
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
///
/// Handles with the same name share their series: counts and gauges are added up. If each circuit has its own name, its
/// state is one-hot: 1 for the state it is in, 0 for the two others; so are the states of checks and targets. A handle
/// that could have a name but has none, such as a timeout, has an empty one. A [`Health`](crate::Health) has no name:
/// two of them in a process are added up.
///
/// Labels are bounded: apart from the names, which are yours, each has a handful of values. A name is remembered for as
/// long as the process lives, so do not make one for each request. The handles of a [`Keyed`](crate::Keyed) share the
/// series of the family, which has the name of the template: the gauge of open circuits shows how many of them are
/// open. With [`label_keys`](MetricsObserver::label_keys) each key has its own series.
///
/// # Costs
/// It is interested in [calls](Interest::Calls). A call through a circuit breaker costs two clock reads, a counter and
/// a histogram; a call through a bulkhead a gauge at its start and one at its end; a request under a retry policy a
/// counter and a gauge, with the budget's lock taken three times; a request that readiness lets in a gauge at its start
/// and one at its end. Each is one look-up in the recorder; a handle keeps its series, so that nothing is looked up
/// here. Nothing allocates here once a series is known; the recorder may, and the Prometheus exporter does so once for
/// each look-up.
///
/// The recorder is looked up for each event, so that one that is installed late, or drops idle series, shows the right
/// gauges again after their next change.
#[derive(Clone, Copy, Debug)]
pub struct MetricsObserver {
    label_keys: bool,
}

impl MetricsObserver {
    /// Describes all metrics to the recorder that is installed.
    #[must_use]
    pub fn new() -> MetricsObserver {
        registry::describe();
        extension::describe_again();
        MetricsObserver { label_keys: false }
    }

    /// Gives the handle of each key of a [`Keyed`](crate::Keyed) its own series, instead of those of the family.
    ///
    /// For a small number of keys: a recorder keeps the series of a key unless it drops idle ones. On this side they
    /// are dropped with the handle.
    #[must_use]
    pub fn label_keys(mut self) -> MetricsObserver {
        self.label_keys = true;
        self
    }
}

impl Default for MetricsObserver {
    fn default() -> MetricsObserver {
        MetricsObserver::new()
    }
}

impl Observer for MetricsObserver {
    fn on_event(&self, event: &Event<'_>) {
        match event {
            Event::CircuitBreaker(event) => circuit_breaker::count(self, event),
            Event::Bulkhead(event) => bulkhead::count(self, event),
            Event::Retry(event) => retry::count(self, event),
            Event::Timeout(event) => timeout::count(self, event),
            Event::Deadline(event) => deadline::count(self, event),
            Event::Fallback(event) => fallback::count(self, event),
            Event::Keyed(event) => keyed::count(self, event),
            Event::Health(event) => health::count(event),
            Event::Runner(event) => runner::count(event),
            Event::Probe(event) => probe::count(event),
            Event::Extension(event) => extension::count(*event),
        }
    }

    fn interest(&self) -> Interest {
        Interest::Calls
    }
}

impl MetricsObserver {
    /// Calls `work` with the series of a handle, which keeps them from the first call on.
    fn with(&self, name: &Name, source: Source<'_>, work: impl FnOnce(&NamedSeries)) {
        let (name, by_key) = match source.family() {
            Some(family) if !self.label_keys => (family, false),
            Some(_) => (name, true),
            None => (name, false),
        };
        let (kept, kept_by_key) = source.cache().series.get_or_init(|| (registry::for_handle(name), by_key));
        if *kept_by_key == by_key {
            work(kept);
        } else {
            // The handle has two observers: one labels keys and the other does not.
            work(&registry::by_name(name));
        }
    }

    /// The last event of a handle.
    fn gone(&self, source: Source<'_>) {
        if let Some((mine, true)) = source.cache().series.get() {
            registry::forget(mine);
        }
    }
}
