mod catalog;
mod health;
mod keyed;
#[cfg(feature = "prober")]
mod prober;
mod registry;
mod series;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::circuit_breaker::{State, TransitionCause};
use crate::machine::verdict::Verdict;
use crate::name::Name;
use crate::observe::Source;
use crate::observe::event::{Event, Place};
use crate::observe::observer::Observer;
use crate::retry::{RetryBudget, StopReason};
pub(crate) use registry::NamedSeries;
use series::{RejectionReason, Series};

/// Counts and times everything for a dashboard, through the [`metrics`] facade (feature `metrics`).
///
/// Install a recorder, an exporter for Prometheus for instance, then give this to the builders. Names, types, units and
/// labels are stable, and stand in [docs/metrics.md](https://docs.rs/crate/seaworthy/latest/source/docs/metrics.md).
///
/// ```
/// use seaworthy::{CircuitBreaker, MetricsObserver, Bulkhead, TracingObserver};
///
/// let metrics = MetricsObserver::new();
/// // It takes the place of the logs, unless they are asked for, too.
/// let observer = (TracingObserver, metrics);
/// let circuit_breaker = CircuitBreaker::builder("payments").observer(observer).build()?;
/// let bulkhead = Bulkhead::builder("payments").observer(observer).build()?;
/// # let _ = (circuit_breaker, bulkhead);
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
///
/// Whatever has the same name shares its series: counts are added up, and so are gauges. With a name for each circuit, its
/// state is one-hot: 1 for the state that it is in, 0 for the two others; so are the states of checks and targets. What
/// might have a name and has none, a timeout perhaps, has an empty one. A [`Health`](crate::Health) has no name: two of
/// them in a process are added up.
///
/// Labels are bounded: beside the names, which are yours, each takes a handful of values. A name is remembered for as
/// long as the process lives, so do not make one for each request. The handles of a [`Keyed`](crate::Keyed) share the
/// series of the family, which has the name of the template: circuits that are open are as many as are open. With
/// [`label_keys`](MetricsObserver::label_keys) each key has its own.
///
/// # Costs
/// It [wants calls](Observer::wants_calls). A call of a circuit costs two clock reads, a counter and a histogram; one of
/// a bulkhead two gauges where it begins and where it ends; a request of a retry policy a counter and a gauge, with the
/// budget's lock taken three times; a request that readiness lets in one gauge where it comes and where it goes. Each is
/// one look-up in the recorder; a handle keeps its series, so that nothing is looked up here. Nothing of it allocates here
/// once a series is known; the recorder may, and the Prometheus exporter does so once for each look-up.
///
/// The recorder is looked up for each event, so that one that is installed late, or forgets series that were idle, has
/// right gauges again when they change the next time.
#[derive(Clone, Copy, Debug)]
pub struct MetricsObserver {
    label_keys: bool,
}

impl MetricsObserver {
    /// Describes all metrics to the recorder that is installed.
    #[must_use]
    pub fn new() -> MetricsObserver {
        registry::describe();
        MetricsObserver { label_keys: false }
    }

    /// Gives the handles of a [`Keyed`](crate::Keyed) series of their own, key by key, in place of those of the family.
    ///
    /// For keys that are few: a recorder keeps what it was told of a key, unless it forgets series that are idle. On this
    /// side they go with the handle.
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
        match *event {
            Event::CircuitBuilt { name, source, .. } => self.with(name, source, circuit_built),
            Event::CircuitDropped { name, source, state, .. } => {
                self.with(name, source, |named| named.add(Series::CircuitState(state), -1));
                self.gone(source);
            }
            Event::CircuitSettled { name, source, verdict, elapsed, .. } => {
                self.with(name, source, |named| settled(named, verdict, elapsed));
            }
            Event::CircuitReadyFailed { name, source, .. } => {
                self.with(name, source, |named| named.count(Series::CircuitReadyFailures, 1));
            }
            Event::CircuitTransition { name, source, from, to, cause, .. } => {
                self.with(name, source, |named| changed(named, from, to, cause));
            }
            Event::CircuitRejected { name, source, .. } => {
                self.with(name, source, |named| named.count(Series::Rejections(RejectionReason::CircuitOpen), 1));
            }
            Event::CircuitWouldHaveOpened { name, source, cause, .. } => {
                self.with(name, source, |named| named.count(Series::CircuitWouldHaveOpened(cause), 1));
            }
            Event::BulkheadResized { name, source, from, to, .. } => {
                self.with(name, source, |named| resized(named, from, to));
                if to == 0 {
                    self.gone(source);
                }
            }
            Event::BulkheadMoved { name, source, from, to, .. } => self.with(name, source, |named| {
                add_caller(named, from, -1);
                add_caller(named, to, 1);
            }),
            Event::BulkheadRejected { name, source, waited, .. } => {
                let reason = waited.map_or(RejectionReason::BulkheadFull, |_| RejectionReason::BulkheadWaitOver);
                self.with(name, source, |named| named.count(Series::Rejections(reason), 1));
            }
            Event::RetryBuilt { name, source, budget, .. } => {
                self.with(name, source, |named| retry_built(named, budget));
            }
            Event::RetryBegan { name, source, budget, .. } => {
                self.with(name, source, |named| retried(named, Series::RetryRequests, budget));
            }
            Event::Retried { name, source, budget, .. } => {
                self.with(name, source, |named| retried(named, Series::Retries, budget));
            }
            Event::RetryStopped { name, source, reason, budget, .. } => {
                self.with(name, source, |named| retried(named, Series::RetryStops(reason), budget));
            }
            Event::TimedOut { name, source, limit, .. } => {
                self.with(name.unwrap_or(&Name::from("")), source, |named| named.count(Series::Timeouts(limit), 1));
            }
            Event::FallbackBuilt { name, source, .. } => {
                self.with(name, source, |named| named.count(Series::Fallbacks, 0));
            }
            Event::FellBack { name, source, .. } => {
                self.with(name, source, |named| named.count(Series::Fallbacks, 1));
            }
            Event::TaskStarted { name } => task_started(&registry::by_name(name)),
            Event::TaskEnded { name } => registry::by_name(name).add(Series::Tasks, -1),
            Event::TaskFailed { name, panicked, again_in, .. } => {
                let series = Series::TaskFailures { panicked, restarted: again_in.is_some() };
                registry::by_name(name).count(series, 1);
            }
            Event::HealthBuilt {}
            | Event::HealthDropped { .. }
            | Event::PhaseChanged { .. }
            | Event::RequestAdmitted {}
            | Event::RequestLeft {}
            | Event::CheckAdded { .. }
            | Event::CheckRemoved { .. }
            | Event::CheckChanged { .. }
            | Event::ReadinessRejected { .. } => health::on_event(event),
            Event::KeyedBuilt { name, source, .. }
            | Event::KeyedDropped { name, source, .. }
            | Event::KeyAdded { name, source, .. }
            | Event::KeysForgotten { name, source, .. }
            | Event::KeyOverflowed { name, source, .. }
            | Event::KeysExhausted { name, source, .. } => {
                self.with(name, source, |named| keyed::on_event(named, event))
            }
            #[cfg(feature = "prober")]
            Event::TargetAdded { .. }
            | Event::TargetRemoved { .. }
            | Event::ProbeChanged { .. }
            | Event::Probed { .. } => prober::on_event(event),
        }
    }

    fn wants_calls(&self) -> bool {
        true
    }
}

impl MetricsObserver {
    /// Does something with the series of a handle, which keeps them from the first time on.
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
            // It has two observers, of which one labels keys and the other does not.
            work(&registry::by_name(name));
        }
    }

    /// A handle told its last.
    fn gone(&self, source: Source<'_>) {
        if let Some((mine, true)) = source.cache().series.get() {
            registry::forget(mine);
        }
    }
}

/// A counter that nobody has seen at 0 shows no increase when it appears with 1.
fn circuit_built(named: &NamedSeries) {
    for state in [State::Closed, State::Open, State::HalfOpen] {
        named.add(Series::CircuitState(state), i64::from(state == State::Closed));
    }
    for verdict in [Verdict::Success, Verdict::Failure, Verdict::Throttled, Verdict::Ignored] {
        named.count(Series::CircuitCalls(verdict), 0);
    }
    named.count(Series::CircuitReadyFailures, 0);
    named.count(Series::Rejections(RejectionReason::CircuitOpen), 0);
}

fn settled(named: &NamedSeries, verdict: Verdict, elapsed: Duration) {
    named.count(Series::CircuitCalls(verdict), 1);
    named.record(Series::CircuitCallDuration(verdict), elapsed);
}

fn changed(named: &NamedSeries, from: State, to: State, cause: TransitionCause) {
    named.add(Series::CircuitState(from), -1);
    named.add(Series::CircuitState(to), 1);
    named.count(Series::CircuitTransitions(from, to), 1);
    if to == State::Open {
        named.count(Series::CircuitOpened(cause), 1);
    }
}

fn resized(named: &NamedSeries, from: u32, to: u32) {
    named.add(Series::BulkheadLimit, i64::from(to) - i64::from(from));
    if from == 0 {
        named.add(Series::BulkheadInUse, 0);
        named.add(Series::BulkheadWaiting, 0);
        named.count(Series::Rejections(RejectionReason::BulkheadFull), 0);
        named.count(Series::Rejections(RejectionReason::BulkheadWaitOver), 0);
    }
}

fn add_caller(named: &NamedSeries, place: Place, by: i64) {
    match place {
        Place::Inside => named.add(Series::BulkheadInUse, by),
        Place::Waiting => named.add(Series::BulkheadWaiting, by),
        Place::Outside => {}
    }
}

fn retry_built(named: &NamedSeries, budget: Option<&RetryBudget>) {
    named.count(Series::RetryRequests, 0);
    named.count(Series::Retries, 0);
    for reason in StopReason::ALL {
        named.count(Series::RetryStops(reason), 0);
    }
    set_balance(named, budget);
}

fn retried(named: &NamedSeries, step: Series, budget: Option<&RetryBudget>) {
    named.count(step, 1);
    set_balance(named, budget);
}

fn set_balance(named: &NamedSeries, budget: Option<&RetryBudget>) {
    if let Some(budget) = budget {
        named.set(Series::RetryBudgetTokens, || budget.balance());
    }
}

fn task_started(named: &NamedSeries) {
    named.add(Series::Tasks, 1);
    for panicked in [false, true] {
        for restarted in [false, true] {
            named.count(Series::TaskFailures { panicked, restarted }, 0);
        }
    }
}
