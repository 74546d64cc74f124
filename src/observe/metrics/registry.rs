use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock, PoisonError};
use std::time::Duration;

use metrics::{Key, Label, Level, Metadata, SharedString};

use super::catalog::{METRICS, Metric, MetricKind};
use super::series::Series;
use crate::rt::sync::{AtomicU64, Ordering, RwLock, fence};

/// All names that have series. They stay for as long as the process lives, as they do in a recorder, except those of
/// keys, which are dropped with their handles.
static NAMES: LazyLock<RwLock<HashMap<Arc<str>, Arc<NamedSeries>>>> = LazyLock::new(Default::default);

/// The series of a service, which has no name.
static SERVICE: OnceLock<Arc<NamedSeries>> = OnceLock::new();

pub(super) static METADATA: Metadata<'static> = Metadata::new("seaworthy", Level::INFO, None);

/// The series of a name, found by their number. Handles keep this, so that an event needs no look-up.
pub(crate) struct NamedSeries {
    name: Arc<str>,
    /// 1 once it was asked for by name alone: then there is no handle for it to be dropped with.
    stays: AtomicU64,
    /// The first series, which are those of calls; the others are in `rest`.
    first: [OnceLock<Box<SeriesEntry>>; Series::FIRST],
    rest: OnceLock<Box<[OnceLock<Box<SeriesEntry>>; Series::REST]>>,
}

struct SeriesEntry {
    key: Key,
    /// The value of a gauge, as the bits of an `i64`. The recorder's own may have been lost, or never set.
    level: AtomicU64,
}

impl SeriesEntry {
    fn new(name: &Arc<str>, series: Series) -> SeriesEntry {
        let name = series.has_name().then(|| Label::new("name", SharedString::from_shared(Arc::clone(name))));
        let others = series.labels().into_iter().flatten();
        let labels = name.into_iter().chain(others.map(|(label, value)| Label::from_static_parts(label, value)));
        let labels: Vec<Label> = labels.collect();
        // So that a recorder can keep it at no cost.
        SeriesEntry { key: Key::from_parts(series.metric().name, labels).to_retained(), level: AtomicU64::new(0) }
    }
}

impl NamedSeries {
    fn new(name: Arc<str>) -> NamedSeries {
        NamedSeries {
            name,
            stays: AtomicU64::new(0),
            first: [const { OnceLock::new() }; Series::FIRST],
            rest: OnceLock::new(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn entry(&self, series: Series) -> &SeriesEntry {
        let number = series.number();
        let place = match self.first.get(number) {
            Some(place) => place,
            None => {
                let rest = self.rest.get_or_init(|| Box::new([const { OnceLock::new() }; Series::REST]));
                // A test asks for all numbers.
                &rest[(number - Series::FIRST).min(Series::REST - 1)]
            }
        };
        place.get_or_init(|| Box::new(SeriesEntry::new(&self.name, series)))
    }

    /// Adds `more` to a counter. 0 makes the counter appear in the recorder.
    pub(super) fn count(&self, series: Series, more: u64) {
        let key = &self.entry(series).key;
        metrics::with_recorder(|recorder| recorder.register_counter(key, &METADATA).increment(more));
    }

    pub(super) fn record(&self, series: Series, time: Duration) {
        let key = &self.entry(series).key;
        metrics::with_recorder(|recorder| recorder.register_histogram(key, &METADATA).record(time));
    }

    /// Adds `by` to a gauge.
    pub(super) fn add(&self, series: Series, by: i64) {
        let SeriesEntry { key, level } = self.entry(series);
        add_to_gauge(key, level, by);
    }

    /// Sets a gauge to what `level` says.
    pub(super) fn set(&self, series: Series, level: impl Fn() -> u64) {
        show(&self.entry(series).key, level);
    }
}

/// Adds `by` to a gauge whose level is kept in `level`, as the bits of an `i64`.
pub(super) fn add_to_gauge(key: &Key, level: &AtomicU64, by: i64) {
    level.fetch_add(by as u64, Ordering::AcqRel);
    show(key, || {
        // Events of two threads may arrive in the wrong order: a permit given back before it was taken.
        u64::try_from(level.load(Ordering::Acquire) as i64).unwrap_or_default()
    });
}

/// Adds one to a counter whose labels are not known here.
pub(super) fn count_with(metric: Metric, name: &str, labels: [(&'static str, &'static str); 2]) {
    let name = Label::new("name", name.to_owned());
    let labels = labels.map(|(label, value)| Label::from_static_parts(label, value));
    let key = Key::from_parts(metric.name, [name].into_iter().chain(labels).collect::<Vec<_>>());
    metrics::with_recorder(|recorder| recorder.register_counter(&key, &METADATA).increment(1));
}

/// For a handle, which keeps it. No lock is held when this returns, because a recorder is foreign code.
pub(super) fn for_handle(name: &str) -> Arc<NamedSeries> {
    #[cfg(test)]
    LOOK_UPS.set(LOOK_UPS.get() + 1);
    let known = NAMES.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(named) = known.get(name) {
        return Arc::clone(named);
    }
    drop(known);
    let mut all = NAMES.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(named) = all.get(name) {
        return Arc::clone(named);
    }
    let name: Arc<str> = Arc::from(name);
    let named = Arc::new(NamedSeries::new(Arc::clone(&name)));
    all.insert(name, Arc::clone(&named));
    named
}

/// For whatever has a name but keeps nothing.
pub(super) fn by_name(name: &str) -> Arc<NamedSeries> {
    let named = for_handle(name);
    named.stays.store(1, Ordering::Relaxed);
    named
}

pub(super) fn service() -> &'static NamedSeries {
    SERVICE.get_or_init(|| by_name(""))
}

/// Drops the series of a key's handle after its last event, unless something else uses them, too. The handle still
/// keeps `mine`.
pub(super) fn forget(mine: &Arc<NamedSeries>) {
    let mut all = NAMES.write().unwrap_or_else(PoisonError::into_inner);
    // One reference is in the table and one in the handle. While the table is locked, no other can be handed out.
    let is_last = Arc::strong_count(mine) <= 2 && mine.stays.load(Ordering::Relaxed) == 0;
    if is_last && all.get(mine.name()).is_some_and(|known| Arc::ptr_eq(known, mine)) {
        all.remove(mine.name());
    }
}

/// Sets a gauge, then reads the level again, because a thread that changed it in the meantime may have set the gauge
/// first. So the last thread to set the gauge sets it to the current level. For all threads, the fences order each
/// change of the level before what its thread shows, and what is shown before the second read.
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
                MetricKind::Counter => recorder.describe_counter(key, unit, help),
                MetricKind::Gauge => recorder.describe_gauge(key, unit, help),
                MetricKind::Histogram => recorder.describe_histogram(key, unit, help),
            }
        }
    });
}

#[cfg(test)]
thread_local! {
    static LOOK_UPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// How often this thread has looked up a name.
#[cfg(test)]
pub(super) fn look_ups() -> u64 {
    LOOK_UPS.get()
}

#[cfg(test)]
pub(super) fn knows(name: &str) -> bool {
    NAMES.read().unwrap_or_else(PoisonError::into_inner).contains_key(name)
}
