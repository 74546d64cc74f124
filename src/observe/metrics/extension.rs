use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, PoisonError};

use metrics::{Key, Label, Unit};

use super::catalog::EXTENSION_EVENTS;
use super::registry::{METADATA, add_to_gauge, count_with};
use crate::observe::event::{ExtensionEvent, Measure, MeasureValue};
use crate::rt::sync::{AtomicU64, RwLock};

/// The gauges that are given steps, and their levels: a recorder's own may have been lost, or never set.
static LEVELS: LazyLock<RwLock<HashMap<Key, Arc<AtomicU64>>>> = LazyLock::new(Default::default);

/// The names of the metrics that the recorder has been told of.
static DESCRIBED: LazyLock<RwLock<HashSet<&'static str>>> = LazyLock::new(Default::default);

/// Nothing keeps the series of an extension: each event looks them up, and allocates.
pub(super) fn count(event: &dyn ExtensionEvent) {
    let name = event.name().map_or("", |name| name.as_str());
    count_with(EXTENSION_EVENTS, name, [("component", event.component()), ("kind", event.kind())]);
    event.measures(&mut |measure| record(&measure));
}

/// No lock is held while the recorder is called, because that is foreign code.
fn record(measure: &Measure<'_>) {
    describe(measure);
    let labels = measure.labels().iter().map(|&(label, value)| Label::new(label, value.to_owned()));
    let key = Key::from_parts(measure.metric().name(), labels.collect::<Vec<_>>());
    match measure.value() {
        MeasureValue::Count(more) => {
            metrics::with_recorder(|recorder| recorder.register_counter(&key, &METADATA).increment(more));
        }
        MeasureValue::Step(by) => add_to_gauge(&key, &level_of(&key), by),
        MeasureValue::Level(level) => {
            metrics::with_recorder(|recorder| recorder.register_gauge(&key, &METADATA).set(level));
        }
        MeasureValue::Time(time) => {
            metrics::with_recorder(|recorder| recorder.register_histogram(&key, &METADATA).record(time));
        }
    }
}

fn level_of(key: &Key) -> Arc<AtomicU64> {
    if let Some(level) = LEVELS.read().unwrap_or_else(PoisonError::into_inner).get(key) {
        return Arc::clone(level);
    }
    let mut all = LEVELS.write().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(all.entry(key.to_retained()).or_insert_with(|| Arc::new(AtomicU64::new(0))))
}

/// Once for each metric, from then on when an observer was last made.
fn describe(measure: &Measure<'_>) {
    let metric = measure.metric();
    if DESCRIBED.read().unwrap_or_else(PoisonError::into_inner).contains(metric.name()) {
        return;
    }
    if !DESCRIBED.write().unwrap_or_else(PoisonError::into_inner).insert(metric.name()) {
        return;
    }
    metrics::with_recorder(|recorder| {
        let (name, help) = (metric.name().into(), metric.help().into());
        match measure.value() {
            MeasureValue::Count(_) => recorder.describe_counter(name, Some(Unit::Count), help),
            MeasureValue::Step(_) | MeasureValue::Level(_) => recorder.describe_gauge(name, None, help),
            MeasureValue::Time(_) => recorder.describe_histogram(name, Some(Unit::Seconds), help),
        }
    });
}

/// There may be another recorder now.
pub(super) fn describe_again() {
    DESCRIBED.write().unwrap_or_else(PoisonError::into_inner).clear();
}
