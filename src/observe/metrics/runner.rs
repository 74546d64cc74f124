use super::registry::{NamedSeries, by_name};
use super::series::Series;
use crate::observe::event::RunnerEvent;

pub(super) fn count(event: &RunnerEvent<'_>) {
    match *event {
        RunnerEvent::TaskStarted { name } => started(&by_name(name)),
        RunnerEvent::TaskEnded { name } => by_name(name).add(Series::Tasks, -1),
        RunnerEvent::StreamEnded { name, .. } => by_name(name).count(Series::StreamEnds, 1),
        RunnerEvent::EventSkipped { name, .. } => by_name(name).count(Series::StreamSkipped, 1),
        RunnerEvent::TaskFailed { name, panicked, again_in, .. } => {
            by_name(name).count(Series::TaskFailures { panicked, restarted: again_in.is_some() }, 1);
        }
    }
}

fn started(named: &NamedSeries) {
    named.add(Series::Tasks, 1);
    for panicked in [false, true] {
        for restarted in [false, true] {
            named.count(Series::TaskFailures { panicked, restarted }, 0);
        }
    }
}
