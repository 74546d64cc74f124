use super::labels::PROBE_STATES;
use super::registry::{NamedSeries, by_name};
use super::series::Series;
use crate::machine::probe_state::{ProbeOutcome, ProbeState};
use crate::observe::event::ProbeEvent;

/// Counts the events of probed targets.
pub(super) fn count(event: &ProbeEvent<'_>) {
    match *event {
        ProbeEvent::TargetAdded { name, state } => added(&by_name(name), state),
        ProbeEvent::TargetRemoved { name, state } => by_name(name).add(Series::TargetState(state), -1),
        ProbeEvent::Transition { name, from, to, .. } => {
            let named = by_name(name);
            named.add(Series::TargetState(from), -1);
            named.add(Series::TargetState(to), 1);
        }
        ProbeEvent::Probed { name, outcome, elapsed, .. } => {
            let named = by_name(name);
            named.count(Series::Probes(outcome), 1);
            named.record(Series::ProbeDuration(outcome), elapsed);
        }
    }
}

fn added(named: &NamedSeries, in_state: ProbeState) {
    for state in PROBE_STATES {
        named.add(Series::TargetState(state), i64::from(state == in_state));
    }
    for outcome in [ProbeOutcome::Success, ProbeOutcome::Failure, ProbeOutcome::TimedOut] {
        named.count(Series::Probes(outcome), 0);
    }
}
