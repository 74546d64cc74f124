use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;

use super::MetricsObserver;
use super::catalog::{Kind, METRICS};
use super::registry;
use crate::circuit::{Cause, Counts, State};
use crate::event::ErrorText;
use crate::observe::Source;
use crate::retry::StopReason;
use crate::timeout::Limit;
use crate::{Circuit, Event, Forgotten, Keyed, Name, Observer, Phase, Place, RetryBudget, Verdict};

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
    let rows = include_str!("../../docs/metrics.md").lines().filter(|line| line.starts_with("| `seaworthy_"));
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
    let tell = |event| observer.on_event(&event);
    tell(Event::CircuitBuilt { name, source: source() });
    for verdict in [Verdict::Success, Verdict::Failure, Verdict::Throttled, Verdict::Ignored] {
        tell(Event::CircuitSettled { name, source: source(), verdict, elapsed: Duration::from_millis(7) });
    }
    let change = |from, to, cause| {
        tell(Event::CircuitTransition { name, source: source(), from, to, sequence: 1, cause, counts })
    };
    for cause in [Cause::ConsecutiveFailures, Cause::FailureRate, Cause::SlowRate] {
        change(State::Closed, State::Open, cause);
        tell(Event::CircuitWouldHaveOpened { name, source: source(), cause, counts });
    }
    change(State::Closed, State::Open, Cause::Forced);
    change(State::Closed, State::Open, Cause::HeldOpen);
    change(State::Open, State::Closed, Cause::Released);
    change(State::Open, State::HalfOpen, Cause::OpenTimeElapsed);
    change(State::HalfOpen, State::Open, Cause::ProbesFailed);
    change(State::HalfOpen, State::Open, Cause::ProbeTimedOut);
    change(State::HalfOpen, State::Closed, Cause::ProbesSucceeded);
    change(State::Open, State::Closed, Cause::Reset);
    tell(Event::CircuitRejected { name, source: source(), retry_after: None });
    tell(Event::CircuitReadyFailed { name, source: source() });
    tell(Event::BulkheadResized { name, source: source(), from: 0, to: 3 });
    tell(Event::BulkheadMoved { name, source: source(), from: Place::Outside, to: Place::Waiting });
    tell(Event::BulkheadMoved { name, source: source(), from: Place::Waiting, to: Place::Inside });
    tell(Event::BulkheadRejected { name, source: source(), waited: None });
    tell(Event::BulkheadRejected { name, source: source(), waited: Some(Duration::from_secs(1)) });
    tell(Event::RetryBuilt { name, source: source(), budget });
    tell(Event::RetryBegan { name, source: source(), budget });
    tell(Event::Retried { name, source: source(), attempt: 1, delay: Duration::ZERO, error: None, budget });
    for reason in StopReason::ALL {
        tell(Event::RetryStopped { name, source: source(), attempts: 2, reason, error: None, budget });
    }
    for limit in [Limit::Response, Limit::BodyIdle, Limit::BodyTotal] {
        tell(Event::TimedOut { name: Some(name), source: source(), limit, after: Duration::from_secs(1) });
        tell(Event::TimedOut { name: None, source: source(), limit, after: Duration::from_secs(1) });
    }
    tell_of_a_service(observer, name);
    tell_of_the_rest(observer, name);
    #[cfg(feature = "prober")]
    tell_of_targets(observer, name);
}

fn tell_of_a_service(observer: MetricsObserver, name: &Name) {
    let tell = |event: Event<'_>| observer.on_event(&event);
    tell(Event::HealthBuilt {});
    tell(Event::PhaseChanged { from: Phase::Starting, to: Phase::Serving });
    tell(Event::HealthDropped { phase: Phase::Serving });
    tell(Event::RequestAdmitted {});
    tell(Event::RequestLeft {});
    for required in [true, false] {
        tell(Event::CheckAdded { name, required, up: true });
        tell(Event::CheckChanged { name, required, reason: Some(name) });
        tell(Event::CheckRemoved { name, required, up: false });
    }
    for phase in Phase::ALL {
        tell(Event::ReadinessRejected { reason: name, phase });
    }
}

fn tell_of_the_rest(observer: MetricsObserver, name: &Name) {
    let tell = |event: Event<'_>| observer.on_event(&event);
    let error = "down";
    let error = ErrorText::new(&error);
    tell(Event::FallbackBuilt { name, source: source() });
    tell(Event::FellBack { name, source: source(), error });
    tell(Event::TaskStarted { name });
    for (panicked, again_in) in
        [(true, None), (true, Some(Duration::ZERO)), (false, None), (false, Some(Duration::ZERO))]
    {
        tell(Event::TaskFailed { name, error, panicked, again_in });
    }
    tell(Event::TaskEnded { name });
    tell(Event::KeyedBuilt { name, source: source(), max: 2 });
    tell(Event::KeyAdded { name, source: source() });
    for cause in [Forgotten::Idle, Forgotten::Spared, Forgotten::Removed] {
        tell(Event::KeysForgotten { name, source: source(), count: 1, cause });
    }
    tell(Event::KeysExhausted { name, source: source(), max: 2 });
    tell(Event::KeyOverflowed { name, source: source() });
    tell(Event::KeyedDropped { name, source: source(), max: 2, handles: 0 });
}

#[cfg(feature = "prober")]
fn tell_of_targets(observer: MetricsObserver, name: &Name) {
    use crate::prober::{ProbeOutcome, ProbeState};

    let tell = |event: Event<'_>| observer.on_event(&event);
    tell(Event::TargetAdded { name, state: ProbeState::Starting });
    let (from, to) = (ProbeState::Starting, ProbeState::Healthy);
    tell(Event::ProbeChanged { name, from, to, sequence: 1, successes: 1, failures: 0, error: None });
    for outcome in [ProbeOutcome::Success, ProbeOutcome::Failure, ProbeOutcome::TimedOut] {
        tell(Event::Probed { name, outcome, error: None, elapsed: Duration::from_millis(7) });
    }
    tell(Event::TargetRemoved { name, state: ProbeState::Healthy });
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
        assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{}", metric.name);
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
    assert!(text.contains("seaworthy_bulkhead_slots_in_use{name=\"late\"} 1\n"), "{text}");
    assert!(text.contains("seaworthy_bulkhead_slots{name=\"late\"} 4\n"), "{text}");
}

/// ME-06: whatever the order in which two threads tell, a gauge shows nothing below zero and ends where it should.
#[test]
fn told_in_the_wrong_order() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let (observer, name) = (MetricsObserver::new(), &Name::from("wrong order"));
    let gauge = || recorder.handle().render();
    metrics::with_local_recorder(&recorder, || {
        observer.on_event(&Event::BulkheadMoved { name, source: source(), from: Place::Inside, to: Place::Outside });
        assert!(gauge().contains("in_use{name=\"wrong order\"} 0\n"), "{}", gauge());
        observer.on_event(&Event::BulkheadMoved { name, source: source(), from: Place::Waiting, to: Place::Inside });
        assert!(gauge().contains("in_use{name=\"wrong order\"} 0\n"), "{}", gauge());
        observer.on_event(&Event::BulkheadMoved { name, source: source(), from: Place::Outside, to: Place::Inside });
        assert!(gauge().contains("in_use{name=\"wrong order\"} 1\n"), "{}", gauge());
    });
}

/// SO-08: a recorded call looks up nothing: its handle did once.
#[test]
fn so_08_a_handle_looks_its_series_up_once() {
    let circuit = Circuit::builder("so 08 once").observer(MetricsObserver::new()).build().unwrap();
    let before = registry::look_ups();
    for verdict in [Verdict::Success, Verdict::Failure, Verdict::Ignored, Verdict::Success] {
        circuit.admit().unwrap().settle(verdict);
    }
    circuit.force_open();
    assert!(circuit.admit().is_err());
    assert_eq!(registry::look_ups() - before, 0);
    let _other = Circuit::builder("so 08 once").observer(MetricsObserver::new()).build().unwrap();
    assert_eq!(registry::look_ups() - before, 1);
}

/// SO-08: with `label_keys`, a key has a name here for as long as somebody has its handle, and no longer; without, none has.
#[test]
fn so_08_evicted_keys_are_dropped() {
    let family = |name: &'static str, observer: MetricsObserver| -> Keyed<u32, Circuit> {
        Circuit::builder(name).observer(observer).keyed().max(10).build().unwrap()
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
