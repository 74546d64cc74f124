use super::MetricsObserver;
use super::series::Series;
use crate::name::Name;
use crate::observe::event::DeadlineEvent;

pub(super) fn count(observer: &MetricsObserver, event: &DeadlineEvent<'_>) {
    let unnamed = Name::from("");
    match *event {
        DeadlineEvent::Arrived { name, source, remaining } => {
            observer.with(name.unwrap_or(&unnamed), source, |named| named.record(Series::DeadlineRemaining, remaining));
        }
        DeadlineEvent::Exceeded { name, source, stage, .. } => {
            observer.with(name.unwrap_or(&unnamed), source, |named| named.count(Series::DeadlinesExceeded(stage), 1));
        }
        DeadlineEvent::HeaderMalformed { .. } => {}
    }
}
