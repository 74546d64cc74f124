//! A track and a naive model of it: the list of everything that happened, read from the start for each question.

use std::time::Duration;

use proptest::prelude::*;

use super::track::{Change, Rules, Settled, TargetPhase, Track};
use crate::machine::probe_state::ProbeState;
use crate::machine::timestamp::Timestamp;

#[derive(Clone, Copy, Debug)]
enum Op {
    Step(u64),
    /// A probe of the current window, or of one this many before it.
    Settle(u64, bool),
    Rules(Option<Rules>),
    Phase(TargetPhase),
    RestartPolicy,
}

/// What happened, with its time.
#[derive(Debug, Default)]
struct Model {
    list: Vec<(u64, Op)>,
}

impl Model {
    fn rules(&self) -> Option<Rules> {
        self.list.iter().rev().find_map(|(_, op)| if let Op::Rules(rules) = op { Some(*rules) } else { None })?
    }

    fn phase(&self) -> TargetPhase {
        let last =
            self.list.iter().rev().find_map(|(_, op)| if let Op::Phase(phase) = op { Some(*phase) } else { None });
        last.unwrap_or(TargetPhase::Running)
    }

    /// Whether the entry at `place` started or stopped the target.
    fn turns(&self, place: usize) -> bool {
        let stopped = |phase| phase == TargetPhase::NotRunning;
        let before = Model { list: self.list[..place].to_vec() }.phase();
        matches!(self.list[place].1, Op::Phase(phase) if stopped(phase) != stopped(before))
    }

    /// The results of the current window.
    fn window(&self) -> Vec<(u64, bool)> {
        let begins =
            |place: &usize| self.turns(*place) || matches!(self.list[*place].1, Op::Rules(_) | Op::RestartPolicy);
        let begin = (0..self.list.len()).rev().find(begins).unwrap_or(0);
        let results = self.list[begin..].iter().filter_map(|(at, op)| match op {
            Op::Settle(_, well) => Some((*at, *well)),
            _ => None,
        });
        results.collect()
    }

    fn started(&self) -> u64 {
        let starts = |place: &usize| self.turns(*place) || matches!(self.list[*place].1, Op::RestartPolicy);
        (0..self.list.len()).rev().find(starts).map_or(0, |place| self.list[place].0)
    }

    /// How many results at the end of `results` are `well`.
    fn run(results: &[(u64, bool)], well: bool) -> u32 {
        results.iter().rev().take_while(|(_, result)| *result == well).count() as u32
    }

    /// Whether enough successes in a row, of any window, ended the start period before `end`.
    fn found_healthy(&self, end: usize) -> bool {
        let starts = |place: &usize| self.turns(*place) || matches!(self.list[*place].1, Op::RestartPolicy);
        let begin = (0..end).rev().find(starts).unwrap_or(0);
        let mut successes = 0;
        (begin..end).any(|place| {
            match self.list[place].1 {
                Op::Settle(_, true) => successes += 1,
                Op::Settle(_, false) | Op::Rules(_) => successes = 0,
                _ => {}
            }
            let rules = Model { list: self.list[..=place].to_vec() }.rules();
            rules.is_some_and(|rules| successes >= rules.success_threshold)
        })
    }

    /// The last verdict that any of the results brought about.
    fn mark(&self, rules: Rules) -> Option<ProbeState> {
        let (window, started) = (self.window(), self.started());
        (0..window.len()).rev().find_map(|last| {
            let so_far = &window[..=last];
            if Model::run(so_far, true) >= rules.success_threshold {
                return Some(ProbeState::Healthy);
            }
            let late = Duration::from_nanos(window[last].0 - started) >= rules.start_period;
            // The results of the window are the last ones of the list.
            let settled = |place: &usize| matches!(self.list[*place].1, Op::Settle(..));
            let place = (0..self.list.len()).rev().filter(settled).nth(window.len() - 1 - last);
            let late = late || self.found_healthy(place.unwrap_or(0));
            (late && Model::run(so_far, false) >= rules.failure_threshold).then_some(ProbeState::Unhealthy)
        })
    }

    fn state(&self) -> ProbeState {
        let Some(rules) = self.rules() else { return ProbeState::Disabled };
        match self.phase() {
            TargetPhase::NotRunning => ProbeState::Unknown,
            TargetPhase::Initialising => ProbeState::Starting,
            TargetPhase::Running => self.mark(rules).unwrap_or(ProbeState::Starting),
        }
    }
}

fn rules() -> impl Strategy<Value = Rules> {
    (0..6_u64, 1..4_u32, 1..4_u32).prop_map(|(period, failure_threshold, success_threshold)| Rules {
        start_period: Duration::from_nanos(period),
        failure_threshold,
        success_threshold,
    })
}

fn op() -> impl Strategy<Value = Op> {
    let phases = [TargetPhase::NotRunning, TargetPhase::Initialising, TargetPhase::Running, TargetPhase::Running];
    prop_oneof![
        4 => (0..3_u64).prop_map(Op::Step),
        10 => (prop_oneof![8 => Just(0), 1 => 1..3_u64], any::<bool>()).prop_map(|(age, well)| Op::Settle(age, well)),
        1 => prop::option::weighted(0.8, rules()).prop_map(Op::Rules),
        2 => prop::sample::select(phases.to_vec()).prop_map(Op::Phase),
        1 => Just(Op::RestartPolicy),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3_000) })]

    /// PR-03, PR-04, PR-06: states, counts, times and reports are those of the list of what happened; a result of an
    /// older window changes nothing.
    #[test]
    fn agrees_with_the_model(first in prop::option::weighted(0.9, rules()), ops in prop::collection::vec(op(), 1..60)) {
        let mut now = 0;
        let mut model = Model { list: vec![(0, Op::Rules(first))] };
        let mut track = Track::new(first, Timestamp::from_nanos(0));
        let mut since = 0;
        for op in ops {
            let at = Timestamp::from_nanos(now);
            let before = model.state();
            let mut note = |op| model.list.push((now, op));
            let change = match op {
                Op::Step(nanos) => {
                    now += nanos;
                    None
                }
                Op::Settle(age, well) => {
                    let result = if well { Ok(()) } else { Err("sick") };
                    let probed = track.is_probed();
                    // As the prober does: there are no results for a target that is not probed.
                    let Some(window) = track.window().checked_sub(age).filter(|_| probed) else { continue };
                    let settled = track.settle(window, result, at);
                    prop_assert_eq!(settled.is_some(), age == 0);
                    if age == 0 {
                        note(op);
                    }
                    settled.and_then(|Settled(change)| change)
                }
                Op::Rules(rules) => {
                    note(op);
                    track.set_rules(rules, at)
                }
                Op::Phase(phase) => {
                    note(op);
                    let (change, fresh) = track.set_phase(phase, at);
                    prop_assert_eq!(fresh, model.turns(model.list.len() - 1));
                    change
                }
                Op::RestartPolicy => {
                    note(op);
                    track.restart(at)
                }
            };
            let after = model.state();
            prop_assert_eq!(change, (before != after).then_some(Change { from: before, to: after }));
            if change.is_some() {
                since = now;
            }
            let (window, findings) = (model.window(), track.findings());
            let last = |well| window.iter().rev().find(|(_, result)| *result == well).map(|(at, _)| Timestamp::from_nanos(*at));
            prop_assert_eq!(track.state(), after);
            prop_assert_eq!(track.since(), Timestamp::from_nanos(since));
            prop_assert_eq!((findings.successes, findings.failures), (Model::run(&window, true), Model::run(&window, false)));
            prop_assert_eq!((findings.last_success, findings.last_failure), (last(true), last(false)));
            let error = window.last().filter(|(_, well)| !well).map(|_| "sick");
            prop_assert_eq!(findings.error.as_deref(), error);
        }
    }
}
