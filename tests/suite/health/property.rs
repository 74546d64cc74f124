//! The handle against a naive model: a phase, a map of checks and a list of requests.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use seaworthy::health::InFlight;
use seaworthy::{Health, Phase, Rejected};
use tokio_test::task;

use super::Switch;

const PHASES: [Phase; 4] = [Phase::Starting, Phase::Serving, Phase::Draining, Phase::Stopped];
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

#[derive(Clone, Debug)]
enum Step {
    Admit,
    /// Ends a request, by its place among those in flight.
    End(usize),
    Advance(usize),
    Put {
        name: usize,
        required: bool,
        down: bool,
    },
    Turn {
        name: usize,
        down: bool,
    },
    Remove(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let name = 0..NAMES.len();
    let step = prop_oneof![
        10 => Just(Step::Admit),
        6 => any::<usize>().prop_map(Step::End),
        1 => (0..PHASES.len()).prop_map(Step::Advance),
        2 => (name.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(name, required, down)| Step::Put { name, required, down }),
        4 => (name.clone(), any::<bool>()).prop_map(|(name, down)| Step::Turn { name, down }),
        2 => name.prop_map(Step::Remove),
    ];
    // Most of the time is spent serving.
    vec(step, 1..120).prop_map(|mut steps| {
        steps.insert(0, Step::Advance(1));
        steps
    })
}

struct Check {
    required: bool,
    down: bool,
    switch: Switch,
}

#[derive(Default)]
struct Model {
    phase: usize,
    in_flight: u64,
    checks: BTreeMap<&'static str, Check>,
}

impl Model {
    fn reason(&self) -> Option<&'static str> {
        let down = self.checks.iter().find(|(_, check)| check.required && check.down);
        match self.phase {
            0 => Some("starting"),
            1 | 2 => down.map(|(name, _)| *name),
            _ => Some("shutting down"),
        }
    }
}

fn play(steps: Vec<Step>) {
    let health = Health::new();
    let mut model = Model::default();
    let mut held: Vec<InFlight> = Vec::new();
    for step in steps {
        match step {
            Step::Admit => match (health.admit(), model.reason()) {
                (Ok(request), None) => {
                    held.push(request);
                    model.in_flight += 1;
                }
                (Err(Rejected::NotReady { reason, .. }), Some(expected)) => assert_eq!(reason, expected),
                (result, expected) => panic!("{result:?}, but {expected:?}"),
            },
            Step::End(place) => {
                if !held.is_empty() {
                    drop(held.swap_remove(place % held.len()));
                    model.in_flight -= 1;
                }
            }
            Step::Advance(to) => {
                assert_eq!(health.advance(PHASES[to]), to > model.phase);
                model.phase = model.phase.max(to);
            }
            Step::Put { name, required, down } => {
                let switch = Switch::default();
                switch.set_down(down);
                let name = NAMES[name];
                let result =
                    if required { health.require(name, switch.clone()) } else { health.report(name, switch.clone()) };
                result.unwrap();
                model.checks.insert(name, Check { required, down, switch });
            }
            Step::Turn { name, down } => {
                if let Some(check) = model.checks.get_mut(NAMES[name]) {
                    check.down = down;
                    check.switch.set_down(down);
                }
            }
            Step::Remove(name) => {
                assert_eq!(health.remove(NAMES[name]), model.checks.remove(NAMES[name]).is_some());
            }
        }
        assert_eq!((health.phase(), health.in_flight()), (PHASES[model.phase], model.in_flight));
        let ready = model.phase == 1 && model.reason().is_none();
        assert_eq!(health.is_ready(), ready);
        assert_eq!(task::spawn(health.idle()).poll().is_ready(), model.in_flight == 0);
        let std::task::Poll::Ready(report) = task::spawn(health.run_checks()).poll() else { panic!("nothing waits") };
        assert_eq!(report.is_ready(), ready);
        let shown: Vec<_> =
            report.checks.iter().map(|check| (check.name.as_str(), check.required, !check.status.is_up())).collect();
        let expected: Vec<_> = model.checks.iter().map(|(name, check)| (*name, check.required, check.down)).collect();
        assert_eq!(shown, expected);
    }
}

proptest! {
    /// RD-01, RD-02, RD-09: any sequence of steps.
    #[test]
    fn as_the_model(steps in steps()) {
        play(steps);
    }
}
