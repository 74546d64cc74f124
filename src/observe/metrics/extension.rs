use super::catalog::EXTENSION_EVENTS;
use super::registry::count_with;
use crate::observe::event::ExtensionEvent;

/// Extension events are rare, and nothing keeps their series: each event looks its series up, and allocates.
pub(super) fn count(event: &dyn ExtensionEvent) {
    let name = event.name().map_or("", |name| name.as_str());
    count_with(EXTENSION_EVENTS, name, [("component", event.component()), ("kind", event.kind())]);
}
