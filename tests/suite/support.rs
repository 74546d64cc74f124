//! What several tests use.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::circuit::{Cause, CircuitBuilder, State};
use seaworthy::{Event, Verdict};

/// Moves the paused clock.
pub async fn advance(span: Duration) {
    tokio::time::advance(span).await;
}

/// Lets time pass on the paused clock, which goes from timer to timer, so that everything happens at its own time.
#[allow(clippy::disallowed_methods, reason = "the clock is paused")]
pub async fn pass(span: Duration) {
    for span in [Duration::ZERO, span, Duration::ZERO] {
        tokio::time::sleep(span).await;
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
}

/// Reads the paused clock.
#[allow(clippy::disallowed_methods, reason = "tests look at the clock that they have paused")]
pub fn now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

pub const MS: Duration = Duration::from_millis(1);
pub const SECOND: Duration = Duration::from_secs(1);

/// Settles one call after another; each must be let in.
pub fn settle(circuit: &seaworthy::Circuit, verdicts: &[Verdict]) {
    for verdict in verdicts {
        circuit.admit().expect("let in").settle(*verdict);
    }
}

/// Everything that a circuit told, in the order in which it told it.
#[derive(Clone, Debug, Default)]
pub struct Told(Arc<Mutex<Vec<Line>>>);

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Line {
    Changed(State, State, Cause),
    Rejected(Option<Duration>),
    WouldHaveOpened(Cause),
}

impl Told {
    /// Makes this the observer of the circuit that is being built.
    pub fn by(&self, builder: CircuitBuilder) -> CircuitBuilder {
        let lines = Arc::clone(&self.0);
        builder.observer(move |event: &Event<'_>| {
            let line = match event {
                Event::CircuitTransition { from, to, cause, .. } => Line::Changed(*from, *to, *cause),
                Event::CircuitRejected { retry_after, .. } => Line::Rejected(*retry_after),
                Event::CircuitWouldHaveOpened { cause, .. } => Line::WouldHaveOpened(*cause),
                other => panic!("no test knows of {other:?}"),
            };
            lines.lock().unwrap().push(line);
        })
    }

    /// All lines so far; the next call begins anew.
    pub fn take(&self) -> Vec<Line> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// The changes of state so far; the next call begins anew.
    pub fn changes(&self) -> Vec<(State, State)> {
        self.take()
            .into_iter()
            .filter_map(|line| match line {
                Line::Changed(from, to, _) => Some((from, to)),
                _ => None,
            })
            .collect()
    }
}
