use crate::error::one_line::OneLine;
use crate::observe::event::KeyedEvent;

pub(super) fn log(event: &KeyedEvent<'_>) {
    match event {
        KeyedEvent::Exhausted { name, max, .. } => {
            tracing::warn!(target: "seaworthy::keyed", name = %OneLine(name), max, "no room for another key");
        }
        KeyedEvent::Built { .. }
        | KeyedEvent::Dropped { .. }
        | KeyedEvent::Added { .. }
        | KeyedEvent::Evicted { .. }
        | KeyedEvent::Overflowed { .. } => {}
    }
}
