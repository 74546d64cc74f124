use super::MetricsObserver;
use super::series::Series;
use crate::observe::event::FallbackEvent;

pub(super) fn count(observer: &MetricsObserver, event: &FallbackEvent<'_>) {
    let (name, source, more) = match *event {
        FallbackEvent::Built { name, source } => (name, source, 0),
        FallbackEvent::FellBack { name, source, .. } => (name, source, 1),
    };
    observer.with(name, source, |named| named.count(Series::Fallbacks, more));
}
