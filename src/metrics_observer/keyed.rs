use super::registry::{add, count};
use super::series::Series;
use crate::{Event, Forgotten, Name};

/// What happens to a family of handles.
pub(super) fn on_event(event: &Event<'_>) {
    match *event {
        Event::KeyedBuilt { name, max } => built(name, max),
        Event::KeyedDropped { name, max, handles } => {
            add(name, Series::KeyedMaxHandles, -i64::from(max));
            lose(name, handles);
        }
        Event::KeyAdded { name } => add(name, Series::KeyedHandles, 1),
        Event::KeysForgotten { name, count: forgotten, cause } => {
            lose(name, forgotten);
            count(name, Series::KeyedForgotten(cause), forgotten);
        }
        Event::KeyOverflowed { name } => count(name, Series::KeyedOverflows, 1),
        Event::KeysExhausted { name, .. } => count(name, Series::KeyedExhausted, 1),
        _ => {}
    }
}

fn built(name: &Name, max: u32) {
    add(name, Series::KeyedMaxHandles, i64::from(max));
    add(name, Series::KeyedHandles, 0);
    for cause in [Forgotten::Idle, Forgotten::Spared, Forgotten::Removed] {
        count(name, Series::KeyedForgotten(cause), 0);
    }
    count(name, Series::KeyedOverflows, 0);
    count(name, Series::KeyedExhausted, 0);
}

/// There are never more than fit.
fn lose(name: &Name, handles: u64) {
    add(name, Series::KeyedHandles, -i64::try_from(handles).unwrap_or_default());
}
