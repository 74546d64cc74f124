use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;

use super::catalog::{METRICS, MetricKind};
use super::{MetricsObserver, registry};
use crate::circuit_breaker::{CircuitBreaker, Counts, State, TransitionCause};
use crate::keyed::Keyed;
use crate::machine::lifecycle::phase::Phase;
use crate::machine::verdict::Verdict;
use crate::name::Name;
use crate::observe::Source;
use crate::observe::event::{ErrorRef, Event, EvictionCause, Place};
use crate::observe::observer::Observer;
use crate::retry::{RetryBudget, StopReason};
use crate::timeout::Limit;

/// By label: its values; none for the name, if there is one.
type Labels = BTreeMap<String, BTreeSet<String>>;

/// By metric: its type and its labels.
type Table = BTreeMap<String, (String, Labels)>;

/// Of a handle that lives for as long as the test. Leaked, because the series are those of the first name.
fn source() -> Source<'static> {
    Source::new(None, Box::leak(Box::default()))
}

fn between_ticks(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The table of docs/metrics.md.
fn documented() -> (Table, Vec<(String, String)>) {
    let (mut table, mut units) = (Table::new(), Vec::new());
    let is_here = |row: &&str| cfg!(feature = "prober") || !row.starts_with("| `seaworthy_probe");
    let rows = include_str!("../../../docs/metrics.md").lines().filter(|line| line.starts_with("| `seaworthy_"));
    for row in rows.filter(is_here) {
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
            assert_eq!(label == "name", values.is_empty(), "{row}");
        }
        let name = between_ticks(name)[0].to_string();
        units.push((name.clone(), unit.to_string()));
        assert!(table.insert(name, (kind.to_string(), found)).is_none(), "twice: {row}");
    }
    (table, units)
}

/// What stands in Prometheus text.
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
                "le" => {}
                _ => _ = labels.entry(label.into()).or_default().insert(value.trim_matches('"').into()),
            }
        }
    }
    table
}

/// Tells everything that can happen.
fn tell_everything(observer: MetricsObserver) {
    let (name, budget, counts) = (&Name::from("all"), Some(&RetryBudget::default()), Counts::default());
    let notify = |event| observer.on_event(&event);
    notify(Event::CircuitBuilt { name, source: source() });
    for verdict in [Verdict::Success, Verdict::Failure, Verdict::Throttled, Verdict::Ignored] {
        notify(Event::CircuitSettled { name, source: source(), verdict, elapsed: Duration::from_millis(7) });
    }
    let change = |from, to, cause| {
        notify(Event::CircuitTransition { name, source: source(), from, to, sequence: 1, cause, counts })
    };
    for cause in [TransitionCause::ConsecutiveFailures, TransitionCause::FailureRate, TransitionCause::SlowRate] {
        change(State::Closed, State::Open, cause);
        notify(Event::CircuitWouldHaveOpened { name, source: source(), cause, counts });
    }
    change(State::Closed, State::Open, TransitionCause::Forced);
    change(State::Closed, State::Open, TransitionCause::HeldOpen);
    change(State::Open, State::Closed, TransitionCause::Released);
    change(State::Open, State::HalfOpen, TransitionCause::OpenTimeElapsed);
    change(State::HalfOpen, State::Open, TransitionCause::ProbesFailed);
    change(State::HalfOpen, State::Open, TransitionCause::ProbeTimedOut);
    change(State::HalfOpen, State::Closed, TransitionCause::ProbesSucceeded);
    change(State::Open, State::Closed, TransitionCause::Reset);
    notify(Event::CircuitRejected { name, source: source(), retry_after: None });
    notify(Event::CircuitReadyFailed { name, source: source() });
    notify(Event::BulkheadResized { name, source: source(), from: 0, to: 3 });
    notify(Event::BulkheadMoved { name, source: source(), from: Place::Outside, to: Place::Waiting });
    notify(Event::BulkheadMoved { name, source: source(), from: Place::Waiting, to: Place::Inside });
    notify(Event::BulkheadRejected { name, source: source(), waited: None });
    notify(Event::BulkheadRejected { name, source: source(), waited: Some(Duration::from_secs(1)) });
    notify(Event::RetryBuilt { name, source: source(), budget });
    notify(Event::RetryBegan { name, source: source(), budget });
    notify(Event::Retried { name, source: source(), attempt: 1, delay: Duration::ZERO, error: None, budget });
    for reason in StopReason::ALL {
        notify(Event::RetryStopped { name, source: source(), attempts: 2, reason, error: None, budget });
    }
    for limit in [Limit::Response, Limit::BodyIdle, Limit::BodyTotal] {
        notify(Event::TimedOut { name: Some(name), source: source(), limit, after: Duration::from_secs(1) });
        notify(Event::TimedOut { name: None, source: source(), limit, after: Duration::from_secs(1) });
    }
    tell_of_a_service(observer, name);
    tell_of_the_rest(observer, name);
    #[cfg(feature = "prober")]
    tell_of_targets(observer, name);
}

fn tell_of_a_service(observer: MetricsObserver, name: &Name) {
    let notify = |event: Event<'_>| observer.on_event(&event);
    notify(Event::HealthBuilt {});
    notify(Event::PhaseChanged { from: Phase::Starting, to: Phase::Serving });
    notify(Event::HealthDropped { phase: Phase::Serving });
    notify(Event::RequestAdmitted {});
    notify(Event::RequestLeft {});
    for required in [true, false] {
        notify(Event::CheckAdded { name, required, up: true });
        notify(Event::CheckChanged { name, required, reason: Some(name) });
        notify(Event::CheckRemoved { name, required, up: false });
    }
    for phase in Phase::ALL {
        notify(Event::ReadinessRejected { reason: name, phase });
    }
}

fn tell_of_the_rest(observer: MetricsObserver, name: &Name) {
    let notify = |event: Event<'_>| observer.on_event(&event);
    let error = "down";
    let error = ErrorRef::new(&error);
    notify(Event::FallbackBuilt { name, source: source() });
    notify(Event::FellBack { name, source: source(), error });
    notify(Event::TaskStarted { name });
    for (panicked, again_in) in
        [(true, None), (true, Some(Duration::ZERO)), (false, None), (false, Some(Duration::ZERO))]
    {
        notify(Event::TaskFailed { name, error, panicked, again_in });
    }
    notify(Event::TaskEnded { name });
    notify(Event::KeyedBuilt { name, source: source(), max: 2 });
    notify(Event::KeyAdded { name, source: source() });
    for cause in [EvictionCause::Idle, EvictionCause::Capacity, EvictionCause::Removed] {
        notify(Event::KeysForgotten { name, source: source(), count: 1, cause });
    }
    notify(Event::KeysExhausted { name, source: source(), max: 2 });
    notify(Event::KeyOverflowed { name, source: source() });
    notify(Event::KeyedDropped { name, source: source(), max: 2, handles: 0 });
}

#[cfg(feature = "prober")]
fn tell_of_targets(observer: MetricsObserver, name: &Name) {
    use crate::prober::{ProbeOutcome, ProbeState};

    let notify = |event: Event<'_>| observer.on_event(&event);
    notify(Event::TargetAdded { name, state: ProbeState::Starting });
    let (from, to) = (ProbeState::Starting, ProbeState::Healthy);
    notify(Event::ProbeChanged { name, from, to, sequence: 1, successes: 1, failures: 0, error: None });
    for outcome in [ProbeOutcome::Success, ProbeOutcome::Failure, ProbeOutcome::TimedOut] {
        notify(Event::Probed { name, outcome, error: None, elapsed: Duration::from_millis(7) });
    }
    notify(Event::TargetRemoved { name, state: ProbeState::Healthy });
}

/// ME-01: names, types, labels and the values of labels are those of docs/metrics.md, all of them and no others.
#[test]
fn the_documented_table_is_what_is_emitted() {
    let recorder = PrometheusBuilder::new().set_buckets(&[1.0]).unwrap().build_recorder();
    metrics::with_local_recorder(&recorder, || tell_everything(MetricsObserver::new()));
    let text = recorder.handle().render();
    assert_eq!(exposed(&text), documented().0, "{text}");
    for (name, (_, labels)) in exposed(&text) {
        assert!(labels.len() <= 3 && labels.values().all(|values| values.len() <= 8), "{name}");
        let help = METRICS.iter().find(|metric| metric.name == name).unwrap().help;
        assert!(text.contains(&format!("# HELP {name} {help}\n")), "{name} is not described");
    }
}

/// ME-01: the unit stands in the name, and what only grows is a total.
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

/// ME-07: a recorder that is installed late, or has forgotten, has the right gauges after the next change.
#[test]
fn gauges_do_not_depend_on_what_the_recorder_remembers() {
    let (observer, name) = (MetricsObserver::new(), &Name::from("late"));
    // Nobody listens.
    observer.on_event(&Event::BulkheadResized { name, source: source(), from: 0, to: 3 });
    for _ in 0..2 {
        observer.on_event(&Event::BulkheadMoved { name, source: source(), from: Place::Outside, to: Place::Inside });
    }
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        observer.on_event(&Event::BulkheadMoved { name, source: source(), from: Place::Inside, to: Place::Outside });
        observer.on_event(&Event::BulkheadResized { name, source: source(), from: 3, to: 4 });
    });
    let text = recorder.handle().render();
    assert!(text.contains("seaworthy_bulkhead_permits_in_use{name=\"late\"} 1\n"), "{text}");
    assert!(text.contains("seaworthy_bulkhead_limit{name=\"late\"} 4\n"), "{text}");
}

/// ME-06: whatever the order in which two threads tell, a gauge shows nothing below zero and ends where it should.
#[test]
fn told_in_the_wrong_order() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let (observer, name) = (MetricsObserver::new(), &Name::from("wrong order"));
    let phase_word = || recorder.handle().render();
    metrics::with_local_recorder(&recorder, || {
        observer.on_event(&Event::BulkheadMoved { name, source: source(), from: Place::Inside, to: Place::Outside });
        assert!(phase_word().contains("in_use{name=\"wrong order\"} 0\n"), "{}", phase_word());
        observer.on_event(&Event::BulkheadMoved { name, source: source(), from: Place::Waiting, to: Place::Inside });
        assert!(phase_word().contains("in_use{name=\"wrong order\"} 0\n"), "{}", phase_word());
        observer.on_event(&Event::BulkheadMoved { name, source: source(), from: Place::Outside, to: Place::Inside });
        assert!(phase_word().contains("in_use{name=\"wrong order\"} 1\n"), "{}", phase_word());
    });
}

/// SO-08: a recorded call looks up nothing: its handle did once.
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

/// SO-08: with `label_keys`, a key has a name here for as long as somebody has its handle, and no longer; without, none has.
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
