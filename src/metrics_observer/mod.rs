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

use crate::circuit::State;
use crate::retry::StopReason;
use crate::{Event, Name, Observer, Place, RetryBudget, Verdict};
use registry::{add, count, record, set};
use series::{Reason, Series};

/// Counts and times everything for a dashboard, through the [`metrics`] facade (feature `metrics`).
///
/// Install a recorder, an exporter for Prometheus for instance, then give this to the builders. Names, types, units and
/// labels are stable, and stand in [docs/metrics.md](https://docs.rs/crate/seaworthy/latest/source/docs/metrics.md).
///
/// ```
/// use seaworthy::{Circuit, MetricsObserver, Slots, TracingObserver};
///
/// let metrics = MetricsObserver::new();
/// // It takes the place of the logs, unless they are asked for, too.
/// let observer = (TracingObserver, metrics);
/// let circuit = Circuit::builder("payments").observer(observer).build()?;
/// let slots = Slots::builder("payments").observer(observer).build()?;
/// # let _ = (circuit, slots);
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
///
/// Whatever has the same name shares its series: counts are added up, and so are gauges. With a name for each circuit, its
/// state is one-hot: 1 for the state that it is in, 0 for the two others; so are the states of checks and targets. What
/// might have a name and has none, a timeout perhaps, has an empty one. A [`Health`](crate::Health) has no name: two of
/// them in a process are added up.
///
/// Labels are bounded: beside the names, which are yours, each takes a handful of values. A name is remembered for as
/// long as the process lives, so do not make one for each request. The handles of a [`Keyed`](crate::Keyed) have a name for
/// each key: where keys come and go without end, let
/// [`build_labelled`](crate::keyed::KeyedBuilder::build_labelled) give them few.
///
/// # Costs
/// It [wants calls](Observer::wants_calls). A call of a circuit costs two clock reads, a counter and a histogram; one of
/// a bulkhead two gauges where it begins and where it ends; a request of a retry policy a counter and a gauge, with the
/// budget's lock taken three times; a request that readiness lets in one gauge where it comes and where it goes. Each is one look-up here and one in the recorder. Nothing of it allocates here once a
/// series is known; the recorder may, and the Prometheus exporter does so once for each look-up.
///
/// The recorder is looked up for each event, so that one that is installed late, or forgets series that were idle, has
/// right gauges again when they change the next time.
#[derive(Clone, Copy, Debug)]
pub struct MetricsObserver(());

impl MetricsObserver {
    /// Describes all metrics to the recorder that is installed.
    #[must_use]
    pub fn new() -> MetricsObserver {
        registry::describe();
        MetricsObserver(())
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
            Event::CircuitBuilt { name } => circuit_built(name),
            Event::CircuitDropped { name, state } => add(name, Series::CircuitState(state), -1),
            Event::CircuitSettled { name, verdict, elapsed } => settled(name, verdict, elapsed),
            Event::CircuitReadyFailed { name } => count(name, Series::CircuitReadyFailures, 1),
            Event::CircuitTransition { name, from, to, cause, .. } => {
                add(name, Series::CircuitState(from), -1);
                add(name, Series::CircuitState(to), 1);
                count(name, Series::CircuitTransitions(from, to), 1);
                if to == State::Open {
                    count(name, Series::CircuitOpened(cause), 1);
                }
            }
            Event::CircuitRejected { name, .. } => count(name, Series::Rejections(Reason::CircuitOpen), 1),
            Event::CircuitWouldHaveOpened { name, cause, .. } => {
                count(name, Series::CircuitWouldHaveOpened(cause), 1);
            }
            Event::BulkheadResized { name, from, to } => resized(name, from, to),
            Event::BulkheadMoved { name, from, to } => {
                add_caller(name, from, -1);
                add_caller(name, to, 1);
            }
            Event::BulkheadRejected { name, waited } => {
                let reason = waited.map_or(Reason::BulkheadFull, |_| Reason::BulkheadWaitOver);
                count(name, Series::Rejections(reason), 1);
            }
            Event::RetryBuilt { name, budget } => retry_built(name, budget),
            Event::RetryBegan { name, budget } => {
                count(name, Series::RetryRequests, 1);
                set_balance(name, budget);
            }
            Event::Retried { name, budget, .. } => {
                count(name, Series::Retries, 1);
                set_balance(name, budget);
            }
            Event::RetryStopped { name, reason, budget, .. } => {
                count(name, Series::RetryStops(reason), 1);
                set_balance(name, budget);
            }
            Event::TimedOut { name, limit, .. } => {
                count(name.unwrap_or(&Name::from("")), Series::Timeouts(limit), 1);
            }
            Event::FallbackBuilt { name } => count(name, Series::Fallbacks, 0),
            Event::FellBack { name, .. } => count(name, Series::Fallbacks, 1),
            Event::TaskStarted { name } => task_started(name),
            Event::TaskEnded { name } => add(name, Series::Tasks, -1),
            Event::TaskFailed { name, panicked, again_in, .. } => {
                count(name, Series::TaskFailures { panicked, restarted: again_in.is_some() }, 1);
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
            Event::KeyedBuilt { .. }
            | Event::KeyedDropped { .. }
            | Event::KeyAdded { .. }
            | Event::KeysForgotten { .. }
            | Event::KeyOverflowed { .. }
            | Event::KeysExhausted { .. } => keyed::on_event(event),
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

/// A counter that nobody has seen at 0 shows no increase when it appears with 1.
fn circuit_built(name: &Name) {
    for state in [State::Closed, State::Open, State::HalfOpen] {
        add(name, Series::CircuitState(state), i64::from(state == State::Closed));
    }
    for verdict in [Verdict::Success, Verdict::Failure, Verdict::Throttled, Verdict::Ignored] {
        count(name, Series::CircuitCalls(verdict), 0);
    }
    count(name, Series::CircuitReadyFailures, 0);
    count(name, Series::Rejections(Reason::CircuitOpen), 0);
}

fn settled(name: &Name, verdict: Verdict, elapsed: Duration) {
    count(name, Series::CircuitCalls(verdict), 1);
    record(name, Series::CircuitCallDuration(verdict), elapsed);
}

fn resized(name: &Name, from: u32, to: u32) {
    add(name, Series::BulkheadSlots, i64::from(to) - i64::from(from));
    if from == 0 {
        add(name, Series::BulkheadInUse, 0);
        add(name, Series::BulkheadWaiting, 0);
        count(name, Series::Rejections(Reason::BulkheadFull), 0);
        count(name, Series::Rejections(Reason::BulkheadWaitOver), 0);
    }
}

fn add_caller(name: &Name, place: Place, by: i64) {
    match place {
        Place::Inside => add(name, Series::BulkheadInUse, by),
        Place::Waiting => add(name, Series::BulkheadWaiting, by),
        Place::Outside => {}
    }
}

fn retry_built(name: &Name, budget: Option<&RetryBudget>) {
    count(name, Series::RetryRequests, 0);
    count(name, Series::Retries, 0);
    for reason in StopReason::ALL {
        count(name, Series::RetryStops(reason), 0);
    }
    set_balance(name, budget);
}

fn set_balance(name: &Name, budget: Option<&RetryBudget>) {
    if let Some(budget) = budget {
        set(name, Series::RetryBudgetTokens, || budget.balance());
    }
}

fn task_started(name: &Name) {
    add(name, Series::Tasks, 1);
    for panicked in [false, true] {
        for restarted in [false, true] {
            count(name, Series::TaskFailures { panicked, restarted }, 0);
        }
    }
}
