use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::circuit_breaker::{CircuitBreakerBuilder, Counts, TransitionCause};
use seaworthy::observe::CircuitBreakerEvent;
use seaworthy::{CircuitBreaker, Event, State};

use super::{Model, Tally};

/// An event; of the causes, any.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    Changed { from: State, to: State, causes: Vec<TransitionCause>, tally: Tally },
    WouldHaveOpened { causes: Vec<TransitionCause>, tally: Tally },
    Rejected(Option<Duration>),
}

impl Told {
    /// Whether this is the expected event. If several rules are broken at once, the cause is one of them.
    fn is_one_of(&self, expected: &Told) -> bool {
        let mut narrowed = expected.clone();
        if let Told::Changed { causes, .. } | Told::WouldHaveOpened { causes, .. } = &mut narrowed {
            causes.retain(|cause| self.causes().contains(cause));
        }
        *self == narrowed
    }

    fn causes(&self) -> &[TransitionCause] {
        match self {
            Told::Changed { causes, .. } | Told::WouldHaveOpened { causes, .. } => causes,
            Told::Rejected(_) => &[],
        }
    }
}

/// A change of state comes with its sequence number.
type Line = (Told, Option<u64>);

/// The events of an observer.
#[derive(Default)]
pub struct Observed {
    lines: Arc<Mutex<Vec<Line>>>,
    /// Of the last change.
    sequence: u64,
}

impl Observed {
    /// Makes this the observer of the circuit breaker that is being built.
    pub fn by(&self, builder: CircuitBreakerBuilder) -> CircuitBreakerBuilder {
        let lines = Arc::clone(&self.lines);
        builder.observer(move |event: &Event<'_>| {
            let line = match *event {
                Event::CircuitBreaker(CircuitBreakerEvent::Transition {
                    from, to, sequence, cause, counts, ..
                }) => (Told::Changed { from, to, causes: vec![cause], tally: tally(counts) }, Some(sequence)),
                Event::CircuitBreaker(CircuitBreakerEvent::WouldHaveOpened { cause, counts, .. }) => {
                    (Told::WouldHaveOpened { causes: vec![cause], tally: tally(counts) }, None)
                }
                Event::CircuitBreaker(CircuitBreakerEvent::Rejected { retry_after, .. }) => {
                    (Told::Rejected(retry_after), None)
                }
                ref other => panic!("no test knows of {other:?}"),
            };
            lines.lock().unwrap().push(line);
        })
    }

    /// The calls in the window when the circuit left the closed state, if it just did.
    pub(super) fn calls_when_left(&self) -> Option<usize> {
        self.lines.lock().unwrap().iter().find_map(|(told, _)| match told {
            Told::Changed { from: State::Closed, tally, .. } => Some(tally.calls),
            _ => None,
        })
    }

    /// Compares the events since the last time, in order, and the state.
    pub fn agrees(&mut self, model: &mut Model, circuit_breaker: &CircuitBreaker) -> Result<(), String> {
        let expected = model.take_told();
        let (told, sequences): (Vec<_>, Vec<_>) = std::mem::take(&mut *self.lines.lock().unwrap()).into_iter().unzip();
        let agree = told.len() == expected.len() && told.iter().zip(&expected).all(|(told, one)| told.is_one_of(one));
        if !agree {
            return Err(differ("what the observer is told", &expected, &told));
        }
        for sequence in sequences.into_iter().flatten() {
            if sequence <= self.sequence {
                return Err(format!("sequence {sequence} after {}", self.sequence));
            }
            self.sequence = sequence;
        }
        same("the state", &model.state(), &circuit_breaker.state())
    }
}

pub fn same<T: Debug + PartialEq>(what: &str, expected: &T, got: &T) -> Result<(), String> {
    if expected == got { Ok(()) } else { Err(differ(what, expected, got)) }
}

fn differ<T: Debug + ?Sized>(what: &str, expected: &T, got: &T) -> String {
    format!("{what} differs\n  expected {expected:?}\n       got {got:?}")
}

pub(super) fn tally(counts: Counts) -> Tally {
    Tally {
        calls: counts.calls as usize,
        failures: counts.failures as usize,
        slow: counts.slow as usize,
        consecutive: counts.consecutive_failures as usize,
    }
}
