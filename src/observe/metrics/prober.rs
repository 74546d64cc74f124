use super::registry::{NamedSeries, by_name};
use super::series::Series;
use crate::observe::event::Event;
use crate::prober::{ProbeOutcome, ProbeState};

/// What happens to probed targets.
pub(super) fn on_event(event: &Event<'_>) {
    match *event {
        Event::TargetAdded { name, state } => added(&by_name(name), state),
        Event::TargetRemoved { name, state } => by_name(name).add(Series::TargetState(state), -1),
        Event::ProbeChanged { name, from, to, .. } => {
            let named = by_name(name);
            named.add(Series::TargetState(from), -1);
            named.add(Series::TargetState(to), 1);
        }
        Event::Probed { name, outcome, elapsed, .. } => {
            let named = by_name(name);
            named.count(Series::Probes(outcome), 1);
            named.record(Series::ProbeDuration(outcome), elapsed);
        }
        _ => {}
    }
}

fn added(named: &NamedSeries, in_state: ProbeState) {
    for state in ProbeState::ALL {
        named.add(Series::TargetState(state), i64::from(state == in_state));
    }
    for outcome in [ProbeOutcome::Success, ProbeOutcome::Failure, ProbeOutcome::TimedOut] {
        named.count(Series::Probes(outcome), 0);
    }
}
