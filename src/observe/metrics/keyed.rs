use super::MetricsObserver;
use super::registry::NamedSeries;
use super::series::Series;
use crate::observe::event::{EvictionCause, KeyedEvent};

/// Counts the events of a family of handles.
pub(super) fn count(observer: &MetricsObserver, event: &KeyedEvent<'_>) {
    let (KeyedEvent::Built { name, source, .. }
    | KeyedEvent::Dropped { name, source, .. }
    | KeyedEvent::Added { name, source }
    | KeyedEvent::Evicted { name, source, .. }
    | KeyedEvent::Overflowed { name, source }
    | KeyedEvent::Exhausted { name, source, .. }) = *event;
    observer.with(name, source, |named| step(named, event));
}

fn step(named: &NamedSeries, event: &KeyedEvent<'_>) {
    match *event {
        KeyedEvent::Built { max, .. } => built(named, max),
        KeyedEvent::Dropped { max, handles, .. } => {
            named.add(Series::KeyedMaxHandles, -i64::from(max));
            lose(named, handles);
        }
        KeyedEvent::Added { .. } => named.add(Series::KeyedHandles, 1),
        KeyedEvent::Evicted { count, cause, .. } => {
            lose(named, count);
            named.count(Series::KeyedEvicted(cause), count);
        }
        KeyedEvent::Overflowed { .. } => named.count(Series::KeyedOverflows, 1),
        KeyedEvent::Exhausted { .. } => named.count(Series::KeyedExhausted, 1),
    }
}

fn built(named: &NamedSeries, max: u32) {
    named.add(Series::KeyedMaxHandles, i64::from(max));
    named.add(Series::KeyedHandles, 0);
    for cause in [EvictionCause::Idle, EvictionCause::Capacity, EvictionCause::Removed] {
        named.count(Series::KeyedEvicted(cause), 0);
    }
    named.count(Series::KeyedOverflows, 0);
    named.count(Series::KeyedExhausted, 0);
}

/// There are never more handles than an `i64` can hold.
fn lose(named: &NamedSeries, handles: u64) {
    named.add(Series::KeyedHandles, -i64::try_from(handles).unwrap_or_default());
}
