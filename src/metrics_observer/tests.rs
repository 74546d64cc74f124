use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;

use super::MetricsObserver;
use super::series::{Kind, METRICS};
use crate::circuit::{Cause, Counts, State};
use crate::retry::StopReason;
use crate::timeout::Limit;
use crate::{Event, Name, Observer, Place, RetryBudget, Verdict};

/// By label: its values. All but the name's.
type Labels = BTreeMap<String, BTreeSet<String>>;

/// By metric: its type and its labels.
type Table = BTreeMap<String, (String, Labels)>;

fn between_ticks(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The table of docs/metrics.md.
fn documented() -> (Table, Vec<(String, String)>) {
    let (mut table, mut units) = (Table::new(), Vec::new());
    for row in include_str!("../../docs/metrics.md").lines().filter(|line| line.starts_with("| `seaworthy_")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, name, kind, unit, labels, text, _] = cells[..] else { panic!("not a row: {row}") };
        assert!(!text.is_empty());
        let mut found = Labels::new();
        for label in labels.split("; ") {
            let (label, values) = label.split_once(": ").unwrap_or((label, ""));
            let values = between_ticks(values).into_iter().map(String::from).collect();
            found.insert(between_ticks(label)[0].to_string(), values);
        }
        assert_eq!(found.remove("name"), Some(BTreeSet::new()), "{row}");
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
        let (name, rest) = line.split_once('{').unwrap();
        let histogram = ["_bucket", "_sum", "_count"].into_iter().find_map(|part| name.strip_suffix(part));
        let (_, labels) = table.get_mut(histogram.unwrap_or(name)).unwrap();
        let mut has_name = false;
        for label in rest.split_once('}').unwrap().0.split(',') {
            let (label, value) = label.split_once('=').unwrap();
            match label {
                "name" => has_name = true,
                "le" => {}
                _ => _ = labels.entry(label.into()).or_default().insert(value.trim_matches('"').into()),
            }
        }
        assert!(has_name, "{line}");
    }
    table
}

/// Tells everything that can happen.
fn tell_everything(observer: MetricsObserver) {
    let (name, budget, counts) = (&Name::from("all"), Some(&RetryBudget::default()), Counts::default());
    let tell = |event| observer.on_event(&event);
    tell(Event::CircuitBuilt { name });
    for verdict in [Verdict::Success, Verdict::Failure, Verdict::Throttled, Verdict::Ignored] {
        tell(Event::CircuitSettled { name, verdict, elapsed: Duration::from_millis(7) });
    }
    let change = |from, to, cause| tell(Event::CircuitTransition { name, from, to, sequence: 1, cause, counts });
    for cause in [Cause::ConsecutiveFailures, Cause::FailureRate, Cause::SlowRate] {
        change(State::Closed, State::Open, cause);
        tell(Event::CircuitWouldHaveOpened { name, cause, counts });
    }
    change(State::Closed, State::Open, Cause::Forced);
    change(State::Closed, State::Open, Cause::HeldOpen);
    change(State::Open, State::Closed, Cause::Released);
    change(State::Open, State::HalfOpen, Cause::OpenTimeElapsed);
    change(State::HalfOpen, State::Open, Cause::ProbesFailed);
    change(State::HalfOpen, State::Open, Cause::ProbeTimedOut);
    change(State::HalfOpen, State::Closed, Cause::ProbesSucceeded);
    change(State::Open, State::Closed, Cause::Reset);
    tell(Event::CircuitRejected { name, retry_after: None });
    tell(Event::CircuitReadyFailed { name });
    tell(Event::BulkheadResized { name, from: 0, to: 3 });
    tell(Event::BulkheadMoved { name, from: Place::Outside, to: Place::Waiting });
    tell(Event::BulkheadMoved { name, from: Place::Waiting, to: Place::Inside });
    tell(Event::BulkheadRejected { name, waited: None });
    tell(Event::BulkheadRejected { name, waited: Some(Duration::from_secs(1)) });
    tell(Event::RetryBuilt { name, budget });
    tell(Event::RetryBegan { name, budget });
    tell(Event::Retried { name, attempt: 1, delay: Duration::ZERO, error: None, budget });
    for reason in StopReason::ALL {
        tell(Event::RetryStopped { name, attempts: 2, reason, error: None, budget });
    }
    for limit in [Limit::Response, Limit::BodyIdle, Limit::BodyTotal] {
        tell(Event::TimedOut { name: Some(name), limit, after: Duration::from_secs(1) });
        tell(Event::TimedOut { name: None, limit, after: Duration::from_secs(1) });
    }
}

/// ME-01: names, types, labels and the values of labels are those of docs/metrics.md, all of them and no others.
#[test]
fn the_documented_table_is_what_is_emitted() {
    let recorder = PrometheusBuilder::new().set_buckets(&[1.0]).unwrap().build_recorder();
    metrics::with_local_recorder(&recorder, || tell_everything(MetricsObserver::new()));
    let text = recorder.handle().render();
    assert_eq!(exposed(&text), documented().0, "{text}");
    for (name, (_, labels)) in exposed(&text) {
        assert!(labels.len() <= 2 && labels.values().all(|values| values.len() <= 8), "{name}");
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
    observer.on_event(&Event::BulkheadResized { name, from: 0, to: 3 });
    for _ in 0..2 {
        observer.on_event(&Event::BulkheadMoved { name, from: Place::Outside, to: Place::Inside });
    }
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        observer.on_event(&Event::BulkheadMoved { name, from: Place::Inside, to: Place::Outside });
        observer.on_event(&Event::BulkheadResized { name, from: 3, to: 4 });
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
        observer.on_event(&Event::BulkheadMoved { name, from: Place::Inside, to: Place::Outside });
        assert!(gauge().contains("in_use{name=\"wrong order\"} 0\n"), "{}", gauge());
        observer.on_event(&Event::BulkheadMoved { name, from: Place::Waiting, to: Place::Inside });
        assert!(gauge().contains("in_use{name=\"wrong order\"} 0\n"), "{}", gauge());
        observer.on_event(&Event::BulkheadMoved { name, from: Place::Outside, to: Place::Inside });
        assert!(gauge().contains("in_use{name=\"wrong order\"} 1\n"), "{}", gauge());
    });
}
