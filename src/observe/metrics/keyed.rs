use super::registry::NamedSeries;
use super::series::Series;
use crate::observe::event::{Event, EvictionCause};

/// What happens to a family of handles.
pub(super) fn on_event(named: &NamedSeries, event: &Event<'_>) {
    match *event {
        Event::KeyedBuilt { max, .. } => built(named, max),
        Event::KeyedDropped { max, handles, .. } => {
            named.add(Series::KeyedMaxHandles, -i64::from(max));
            lose(named, handles);
        }
        Event::KeyAdded { .. } => named.add(Series::KeyedHandles, 1),
        Event::KeysForgotten { count, cause, .. } => {
            lose(named, count);
            named.count(Series::KeyedEvicted(cause), count);
        }
        Event::KeyOverflowed { .. } => named.count(Series::KeyedOverflows, 1),
        Event::KeysExhausted { .. } => named.count(Series::KeyedExhausted, 1),
        _ => {}
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

/// There are never more than fit.
fn lose(named: &NamedSeries, handles: u64) {
    named.add(Series::KeyedHandles, -i64::try_from(handles).unwrap_or_default());
}
