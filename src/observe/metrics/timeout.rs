use super::MetricsObserver;
use super::series::Series;
use crate::name::Name;
use crate::observe::event::TimeoutEvent;

pub(super) fn count(observer: &MetricsObserver, event: &TimeoutEvent<'_>) {
    let TimeoutEvent::TimedOut { name, source, limit, .. } = *event;
    observer.with(name.unwrap_or(&Name::from("")), source, |named| named.count(Series::Timeouts(limit), 1));
}
