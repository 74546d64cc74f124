use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError};
use std::time::Duration;

use metrics::{Key, Label, Level, Metadata};

use super::catalog::{Kind, METRICS};
use super::series::Series;
use crate::Name;
use crate::sync::{AtomicU64, Ordering, RwLock, fence};

/// All series that have been told so far, by name. They stay for as long as the process lives, as they do in a recorder.
static ENTRIES: LazyLock<RwLock<HashMap<&'static str, Entries>>> = LazyLock::new(Default::default);

type Entries = HashMap<Series, &'static Entry>;

static METADATA: Metadata<'static> = Metadata::new("seaworthy", Level::INFO, None);

struct Entry {
    /// Nothing in it is owned, so that a recorder may keep it for nothing.
    key: Key,
    /// What a gauge stands at, as the bits of an `i64`. A recorder's own may have been lost or never begun.
    level: AtomicU64,
}

impl Entry {
    fn new(name: &'static str, series: Series) -> Entry {
        let name = series.has_name().then_some(("name", name));
        let labels = name.into_iter().chain(series.labels().into_iter().flatten());
        let labels: Vec<Label> = labels.map(|(label, value)| Label::from_static_parts(label, value)).collect();
        Entry { key: Key::from_static_parts(series.metric().name, labels.leak()), level: AtomicU64::new(0) }
    }
}

/// No lock is held when this returns: a recorder is anybody's code.
fn entry(name: &Name, series: Series) -> &'static Entry {
    let name = name.as_str();
    let known = ENTRIES.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(entry) = known.get(name).and_then(|entries| entries.get(&series)) {
        return entry;
    }
    drop(known);
    let mut all = ENTRIES.write().unwrap_or_else(PoisonError::into_inner);
    let name = match all.get_key_value(name) {
        Some((known, _)) => known,
        None => &*String::from(name).leak(),
    };
    all.entry(name).or_default().entry(series).or_insert_with(|| Box::leak(Box::new(Entry::new(name, series))))
}

/// Counts so many more. 0 shows the counter to the recorder.
pub(super) fn count(name: &Name, series: Series, more: u64) {
    let entry = entry(name, series);
    metrics::with_recorder(|recorder| recorder.register_counter(&entry.key, &METADATA).increment(more));
}

pub(super) fn record(name: &Name, series: Series, time: Duration) {
    let entry = entry(name, series);
    metrics::with_recorder(|recorder| recorder.register_histogram(&entry.key, &METADATA).record(time));
}

/// Moves a gauge by so much.
pub(super) fn add(name: &Name, series: Series, by: i64) {
    let Entry { key, level } = entry(name, series);
    level.fetch_add(by as u64, Ordering::AcqRel);
    show(key, || {
        // What two threads did may be told in the wrong order: a slot given back before it was taken.
        u64::try_from(level.load(Ordering::Acquire) as i64).unwrap_or_default()
    });
}

/// Sets a gauge to what `level` says.
pub(super) fn set(name: &Name, series: Series, level: impl Fn() -> u64) {
    show(&entry(name, series).key, level);
}

/// Sets a gauge, and looks again: whoever changed the level in between may have set the gauge before this. So the last to
/// set it has set it to what the level is. The fences put each change of the level before what its thread shows, and what
/// is shown before the second look, for all threads.
fn show(key: &Key, level: impl Fn() -> u64) {
    let gauge = metrics::with_recorder(|recorder| recorder.register_gauge(key, &METADATA));
    fence(Ordering::SeqCst);
    let mut shown = level();
    loop {
        gauge.set(shown as f64);
        fence(Ordering::SeqCst);
        let now = level();
        if now == shown {
            return;
        }
        shown = now;
    }
}

pub(super) fn describe() {
    metrics::with_recorder(|recorder| {
        for metric in METRICS {
            let (key, unit, help) = (metric.name.into(), Some(metric.unit), metric.help.into());
            match metric.kind {
                Kind::Counter => recorder.describe_counter(key, unit, help),
                Kind::Gauge => recorder.describe_gauge(key, unit, help),
                Kind::Histogram => recorder.describe_histogram(key, unit, help),
            }
        }
    });
}
