use super::registry::{add, count, record};
use super::series::Series;
use crate::prober::{ProbeOutcome, ProbeState};
use crate::{Event, Name};

/// What happens to probed targets.
pub(super) fn on_event(event: &Event<'_>) {
    match *event {
        Event::TargetAdded { name, state } => added(name, state),
        Event::TargetRemoved { name, state } => add(name, Series::TargetState(state), -1),
        Event::ProbeChanged { name, from, to, .. } => {
            add(name, Series::TargetState(from), -1);
            add(name, Series::TargetState(to), 1);
        }
        Event::Probed { name, outcome, elapsed, .. } => {
            count(name, Series::Probes(outcome), 1);
            record(name, Series::ProbeDuration(outcome), elapsed);
        }
        _ => {}
    }
}

fn added(name: &Name, in_state: ProbeState) {
    for state in ProbeState::ALL {
        add(name, Series::TargetState(state), i64::from(state == in_state));
    }
    for outcome in [ProbeOutcome::Success, ProbeOutcome::Failure, ProbeOutcome::TimedOut] {
        count(name, Series::Probes(outcome), 0);
    }
}
