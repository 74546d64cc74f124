use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;

use super::catalog::{METRICS, MetricKind};
use super::labels::STOP_REASONS;
use super::{MetricsObserver, registry};
use crate::circuit_breaker::handle::CircuitBreaker;
use crate::circuit_breaker::{Counts, TransitionCause};
use crate::error::DeadlineStage;
use crate::keyed::handle::Keyed;
use crate::machine::circuit_breaker::notice::State;
use crate::machine::lifecycle::phase::Phase;
use crate::machine::verdict::Verdict;
use crate::name::Name;
use crate::observe::event::{
    BudgetRef, BulkheadEvent, CircuitBreakerEvent, DeadlineEvent, ErrorRef, Event, EvictionCause, ExtensionEvent,
    FallbackEvent, HealthEvent, KeyedEvent, Limit, ProbeEvent, RetryEvent, RunnerEvent, Severity, TimeoutEvent,
};
use crate::observe::observer::Observer;
use crate::observe::source::Source;
use crate::retry::budget::RetryBudget;

/// The values of each label; none for the name, if there is one.
type Labels = BTreeMap<String, BTreeSet<String>>;

/// The type and labels of each metric.
type Table = BTreeMap<String, (String, Labels)>;

/// The source of a new handle that lives as long as the test. Leaked, and never shared: a handle keeps the series of
/// its first name.
fn source() -> Source<'static> {
    Source::new(None, Box::leak(Box::default()))
}

fn between_ticks(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The table of docs/metrics.md.
fn documented() -> (Table, Vec<(String, String)>) {
    let (mut table, mut units) = (Table::new(), Vec::new());
    let rows = include_str!("../../../docs/metrics.md").lines().filter(|line| line.starts_with("| `seaworthy_"));
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, name, kind, unit, labels, text, _] = cells[..] else { panic!("not a row: {row}") };
        assert!(!text.is_empty());
        let mut found = Labels::new();
        for label in labels.split("; ").filter(|label| !label.is_empty()) {
            let (label, values) = label.split_once(": ").unwrap_or((label, ""));
            let values = between_ticks(values).into_iter().map(String::from).collect();
            found.insert(between_ticks(label)[0].to_string(), values);
        }
        for (label, values) in &found {
            let is_free = label == "name" || name.contains("_extension_");
            assert_eq!(is_free, values.is_empty(), "{row}");
        }
        let name = between_ticks(name)[0].to_string();
        units.push((name.clone(), unit.to_string()));
        assert!(table.insert(name, (kind.to_string(), found)).is_none(), "twice: {row}");
    }
    (table, units)
}

/// The table in text for Prometheus.
fn exposed(text: &str) -> Table {
    let mut table = Table::new();
    for line in text.lines() {
        if let Some(of_type) = line.strip_prefix("# TYPE ") {
            let (name, kind) = of_type.split_once(' ').unwrap();
            table.insert(name.to_string(), (kind.to_string(), Labels::new()));
        }
    }
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let Some((name, rest)) = line.split_once('{') else { continue };
        let histogram = ["_bucket", "_sum", "_count"].into_iter().find_map(|part| name.strip_suffix(part));
        let (_, labels) = table.get_mut(histogram.unwrap_or(name)).unwrap();
        for label in rest.split_once('}').unwrap().0.split(',') {
            let (label, value) = label.split_once('=').unwrap();
            match label {
                "name" => _ = labels.entry(label.into()).or_default(),
                // The values are up to the companion.
                _ if name.contains("_extension_") => _ = labels.entry(label.into()).or_default(),
                "le" => {}
                _ => _ = labels.entry(label.into()).or_default().insert(value.trim_matches('"').into()),
            }
        }
    }
    table
}

#[derive(Debug)]
struct LeaseLost;

impl ExtensionEvent for LeaseLost {
    fn component(&self) -> &'static str {
        "leader"
    }

    fn name(&self) -> Option<&Name> {
        None
    }

    fn kind(&self) -> &'static str {
        "lease_lost"
    }

    fn severity(&self) -> Severity {
        Severity::Warn
    }
}

/// Reports everything that can happen.
fn tell_everything(observer: MetricsObserver) {
    let (name, tokens, counts) = (&Name::from("all"), RetryBudget::default(), Counts::default());
    let budget = Some(BudgetRef::new(&tokens));
    let notify = |event| observer.on_event(&event);
    notify(Event::CircuitBreaker(CircuitBreakerEvent::Built { name, source: source() }));
    for verdict in [Verdict::Success, Verdict::Failure, Verdict::Throttled, Verdict::Ignored] {
        notify(Event::CircuitBreaker(CircuitBreakerEvent::Settled {
            name,
            source: source(),
            verdict,
            head: Duration::from_millis(3),
            elapsed: Duration::from_millis(7),
        }));
    }
    let after = Duration::from_secs(1);
    notify(Event::CircuitBreaker(CircuitBreakerEvent::BodyBroke { name, source: source(), after, bytes: 7 }));
    let change = |from, to, cause| {
        notify(Event::CircuitBreaker(CircuitBreakerEvent::Transition {
            name,
            source: source(),
            from,
            to,
            sequence: 1,
            cause,
            counts,
        }));
    };
    for cause in [TransitionCause::ConsecutiveFailures, TransitionCause::FailureRate, TransitionCause::SlowRate] {
        change(State::Closed, State::Open, cause);
        notify(Event::CircuitBreaker(CircuitBreakerEvent::WouldHaveOpened { name, source: source(), cause, counts }));
    }
    change(State::Closed, State::Open, TransitionCause::Forced);
    change(State::Closed, State::Open, TransitionCause::HeldOpen);
    change(State::Open, State::Closed, TransitionCause::Released);
    change(State::Open, State::HalfOpen, TransitionCause::OpenTimeElapsed);
    change(State::HalfOpen, State::Open, TransitionCause::ProbesFailed);
    change(State::HalfOpen, State::Open, TransitionCause::ProbeTimedOut);
    change(State::HalfOpen, State::Closed, TransitionCause::ProbesSucceeded);
    change(State::Open, State::Closed, TransitionCause::Reset);
    notify(Event::CircuitBreaker(CircuitBreakerEvent::Rejected { name, source: source(), retry_after: None }));
    notify(Event::CircuitBreaker(CircuitBreakerEvent::ReadyFailed { name, source: source() }));
    notify(Event::Bulkhead(BulkheadEvent::Resized { name, source: source(), from: 0, to: 3 }));
    notify(BulkheadEvent::Queued { name, source: source() }.into());
    notify(BulkheadEvent::Granted { name, source: source() }.into());
    notify(Event::Bulkhead(BulkheadEvent::Rejected { name, source: source(), waited: None }));
    notify(Event::Bulkhead(BulkheadEvent::Rejected { name, source: source(), waited: Some(Duration::from_secs(1)) }));
    notify(Event::Retry(RetryEvent::Built { name, source: source(), budget }));
    notify(Event::Retry(RetryEvent::Began { name, source: source(), budget }));
    notify(Event::Retry(RetryEvent::Retried {
        name,
        source: source(),
        attempt: 1,
        delay: Duration::ZERO,
        error: None,
        budget,
    }));
    for reason in STOP_REASONS {
        notify(Event::Retry(RetryEvent::Stopped { name, source: source(), attempts: 2, reason, error: None, budget }));
    }
    for limit in [Limit::Response, Limit::BodyIdle, Limit::BodyTotal] {
        notify(Event::Timeout(TimeoutEvent::TimedOut {
            name: Some(name),
            source: source(),
            limit,
            after: Duration::from_secs(1),
        }));
        notify(Event::Timeout(TimeoutEvent::TimedOut {
            name: None,
            source: source(),
            limit,
            after: Duration::from_secs(1),
        }));
    }
    for stage in [DeadlineStage::Arrival, DeadlineStage::Queue, DeadlineStage::Attempt, DeadlineStage::Body] {
        for name in [Some(name), None] {
            let late = Duration::from_millis(1);
            notify(DeadlineEvent::Exceeded { name, source: source(), stage, late }.into());
        }
    }
    notify(DeadlineEvent::Arrived { name: Some(name), source: source(), remaining: Duration::from_secs(1) }.into());
    tell_of_a_service(observer, name);
    tell_of_the_rest(observer, name);
    observer.on_event(&Event::Extension(&LeaseLost));
    tell_of_targets(observer, name);
}

fn tell_of_a_service(observer: MetricsObserver, name: &Name) {
    let notify = |event: Event<'_>| observer.on_event(&event);
    notify(Event::Health(HealthEvent::Built {}));
    notify(Event::Health(HealthEvent::PhaseChanged { from: Phase::Starting, to: Phase::Serving }));
    notify(Event::Health(HealthEvent::Dropped { phase: Phase::Serving }));
    notify(Event::Health(HealthEvent::RequestAdmitted {}));
    notify(Event::Health(HealthEvent::RequestLeft {}));
    for required in [true, false] {
        notify(Event::Health(HealthEvent::CheckAdded { name, required, up: true }));
        notify(Event::Health(HealthEvent::CheckChanged { name, required, reason: Some(name) }));
        notify(Event::Health(HealthEvent::CheckRemoved { name, required, up: false }));
    }
    for phase in Phase::ALL {
        notify(Event::Health(HealthEvent::Rejected { reason: name, phase }));
    }
}

fn tell_of_the_rest(observer: MetricsObserver, name: &Name) {
    let notify = |event: Event<'_>| observer.on_event(&event);
    let error = "down";
    let error = ErrorRef::new(&error);
    notify(Event::Fallback(FallbackEvent::Built { name, source: source() }));
    notify(Event::Fallback(FallbackEvent::FellBack { name, source: source(), error }));
    notify(Event::Runner(RunnerEvent::TaskStarted { name }));
    for (panicked, again_in) in
        [(true, None), (true, Some(Duration::ZERO)), (false, None), (false, Some(Duration::ZERO))]
    {
        notify(Event::Runner(RunnerEvent::TaskFailed { name, error, panicked, again_in }));
    }
    notify(Event::Runner(RunnerEvent::StreamEnded { name, again_in: Duration::ZERO }));
    notify(Event::Runner(RunnerEvent::EventSkipped { name, error }));
    notify(Event::Runner(RunnerEvent::TaskEnded { name }));
    notify(Event::Keyed(KeyedEvent::Built { name, source: source(), max: 2 }));
    notify(Event::Keyed(KeyedEvent::Added { name, source: source() }));
    for cause in [EvictionCause::Idle, EvictionCause::Capacity, EvictionCause::Removed] {
        notify(Event::Keyed(KeyedEvent::Evicted { name, source: source(), count: 1, cause }));
    }
    notify(Event::Keyed(KeyedEvent::Exhausted { name, source: source(), max: 2 }));
    notify(Event::Keyed(KeyedEvent::Overflowed { name, source: source() }));
    notify(Event::Keyed(KeyedEvent::Dropped { name, source: source(), max: 2, handles: 0 }));
}

fn tell_of_targets(observer: MetricsObserver, name: &Name) {
    use crate::machine::probe_state::{ProbeOutcome, ProbeState};

    let notify = |event: Event<'_>| observer.on_event(&event);
    notify(Event::Probe(ProbeEvent::TargetAdded { name, state: ProbeState::Starting }));
    let (from, to) = (ProbeState::Starting, ProbeState::Healthy);
    notify(Event::Probe(ProbeEvent::Transition {
        name,
        from,
        to,
        sequence: 1,
        successes: 1,
        failures: 0,
        error: None,
    }));
    for outcome in [ProbeOutcome::Success, ProbeOutcome::Failure, ProbeOutcome::TimedOut] {
        notify(Event::Probe(ProbeEvent::Probed { name, outcome, error: None, elapsed: Duration::from_millis(7) }));
    }
    notify(Event::Probe(ProbeEvent::TargetRemoved { name, state: ProbeState::Healthy }));
}

/// ME-01: names, types, labels and the values of labels are those of docs/metrics.md, all of them and no others.
#[test]
fn the_documented_table_is_what_is_emitted() {
    let recorder = PrometheusBuilder::new().set_buckets(&[1.0]).unwrap().build_recorder();
    metrics::with_local_recorder(&recorder, || tell_everything(MetricsObserver::new()));
    let text = recorder.handle().render();
    assert_eq!(exposed(&text), documented().0, "{text}");
    for (name, (_, labels)) in exposed(&text) {
        assert!(labels.len() <= 3 && labels.values().all(|values| values.len() <= 9), "{name}");
        let help = METRICS.iter().find(|metric| metric.name == name).unwrap().help;
        assert!(text.contains(&format!("# HELP {name} {help}\n")), "{name} is not described");
    }
}

/// ME-01: the name includes the unit, and what only grows is a total.
#[test]
fn names_say_the_unit() {
    let (table, units) = documented();
    for metric in METRICS {
        let (kind, _) = &table[metric.name];
        assert_eq!(*kind, format!("{:?}", metric.kind).to_lowercase());
        assert!(metric.name.starts_with("seaworthy_"));
        assert_eq!(metric.name.ends_with("_total"), metric.kind == MetricKind::Counter, "{}", metric.name);
        let unit = &units.iter().find(|(name, _)| name == metric.name).unwrap().1;
        assert_eq!(metric.name.ends_with("_seconds"), unit == "seconds", "{}", metric.name);
        assert_eq!(metric.unit == metrics::Unit::Seconds, unit == "seconds", "{}", metric.name);
    }
}

/// ME-07: a recorder that is installed late, or has lost its gauges, shows the right ones after the next change.
#[test]
fn gauges_do_not_depend_on_what_the_recorder_remembers() {
    let (observer, name) = (MetricsObserver::new(), &Name::from("late"));
    // There is no recorder yet.
    observer.on_event(&Event::Bulkhead(BulkheadEvent::Resized { name, source: source(), from: 0, to: 3 }));
    for _ in 0..2 {
        observer.on_event(&BulkheadEvent::Acquired { name, source: source() }.into());
    }
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        observer.on_event(&BulkheadEvent::Released { name, source: source() }.into());
        observer.on_event(&Event::Bulkhead(BulkheadEvent::Resized { name, source: source(), from: 3, to: 4 }));
    });
    let text = recorder.handle().render();
    assert!(text.contains("seaworthy_bulkhead_permits_in_use{name=\"late\"} 1\n"), "{text}");
    assert!(text.contains("seaworthy_bulkhead_limit{name=\"late\"} 4\n"), "{text}");
}

/// ME-06: in whatever order events of two threads arrive, a gauge is never shown below zero and ends up right.
#[test]
fn told_in_the_wrong_order() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let (observer, name) = (MetricsObserver::new(), &Name::from("wrong order"));
    let gauge = || recorder.handle().render();
    metrics::with_local_recorder(&recorder, || {
        observer.on_event(&BulkheadEvent::Released { name, source: source() }.into());
        assert!(gauge().contains("in_use{name=\"wrong order\"} 0\n"), "{}", gauge());
        observer.on_event(&BulkheadEvent::Granted { name, source: source() }.into());
        assert!(gauge().contains("in_use{name=\"wrong order\"} 0\n"), "{}", gauge());
        observer.on_event(&BulkheadEvent::Acquired { name, source: source() }.into());
        assert!(gauge().contains("in_use{name=\"wrong order\"} 1\n"), "{}", gauge());
    });
}

/// SO-08: recording a call looks nothing up: the handle did so once.
#[test]
fn so_08_a_handle_looks_its_series_up_once() {
    let circuit_breaker = CircuitBreaker::builder("so 08 once").observer(MetricsObserver::new()).build().unwrap();
    let before = registry::look_ups();
    for verdict in [Verdict::Success, Verdict::Failure, Verdict::Ignored, Verdict::Success] {
        circuit_breaker.admit().unwrap().settle(verdict);
    }
    circuit_breaker.force_open();
    assert!(circuit_breaker.admit().is_err());
    assert_eq!(registry::look_ups() - before, 0);
    let _other = CircuitBreaker::builder("so 08 once").observer(MetricsObserver::new()).build().unwrap();
    assert_eq!(registry::look_ups() - before, 1);
}

/// SO-08: with `label_keys`, a key has a name here exactly as long as its handle is held; without it, no key has one.
#[test]
fn so_08_evicted_keys_are_dropped() {
    let family = |name: &'static str, observer: MetricsObserver| -> Keyed<u32, CircuitBreaker> {
        CircuitBreaker::builder(name).observer(observer).keyed().max(10).build().unwrap()
    };
    let keyed = family("so 08 keys", MetricsObserver::new().label_keys());
    let held = keyed.get(&0);
    for key in 0..1_000 {
        keyed.get(&key).admit().unwrap().settle(Verdict::Success);
    }
    let known = |name: &str| (0..1_000).filter(|key| registry::knows(&format!("{name}[{key}]"))).count();
    assert_eq!((keyed.len(), known("so 08 keys"), registry::knows("so 08 keys[0]")), (10, 10, true));
    keyed.remove(&0);
    assert!(registry::knows("so 08 keys[0]"), "somebody holds it");
    drop(held);
    assert_eq!((registry::knows("so 08 keys[0]"), known("so 08 keys")), (false, 9));
    drop(keyed);
    assert_eq!(known("so 08 keys"), 0);

    let keyed = family("so 08 family", MetricsObserver::new());
    keyed.get(&1).admit().unwrap().settle(Verdict::Success);
    drop(keyed);
    assert_eq!((known("so 08 family"), registry::knows("so 08 family")), (0, true));
}
