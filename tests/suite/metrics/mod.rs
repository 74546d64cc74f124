//! The events of an observer that wants those of calls, and `MetricsObserver`'s view of them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests, helpers included")]

mod events;
#[cfg(feature = "metrics")]
#[path = "../../../examples/08_metrics/expect.rs"]
mod example_expect;
#[cfg(feature = "metrics")]
#[allow(clippy::disallowed_methods, reason = "an example lives in real time, and here in paused time")]
#[path = "../../../examples/08_metrics/stack.rs"]
mod example_stack;
#[cfg(feature = "metrics")]
mod family;
#[cfg(feature = "metrics")]
mod gauges;
mod keyed;
#[cfg(feature = "prober")]
mod prober;
mod rest;
#[cfg(feature = "metrics")]
mod series;
mod service;
#[cfg(feature = "metrics")]
mod threads;

use std::sync::{Arc, Mutex};

use seaworthy::{Event, Observer};

/// Records each event, in short form.
#[derive(Clone, Debug)]
struct Diary {
    lines: Arc<Mutex<Vec<String>>>,
    wants_calls: bool,
}

impl Diary {
    fn new(wants_calls: bool) -> Diary {
        Diary { lines: Arc::default(), wants_calls }
    }

    /// Takes all lines so far; the next call starts over.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}

impl Observer for Diary {
    fn on_event(&self, event: &Event<'_>) {
        let line = match event {
            Event::CircuitBuilt { name, .. } => format!("{name} built"),
            Event::CircuitDropped { name, state, .. } => format!("{name} dropped {state}"),
            Event::CircuitSettled { name, verdict, elapsed, .. } => format!("{name} {verdict:?} {elapsed:?}"),
            Event::CircuitReadyFailed { name, .. } => format!("{name} not ready"),
            Event::CircuitTransition { name, from, to, .. } => format!("{name} {from} {to}"),
            Event::CircuitRejected { name, .. } => format!("{name} rejected"),
            Event::BulkheadResized { name, from, to, .. } => format!("{name} has {to} for {from}"),
            Event::BulkheadMoved { name, from, to, .. } => format!("{name} {from:?} {to:?}"),
            Event::BulkheadRejected { name, .. } => format!("{name} rejected"),
            Event::RetryBuilt { name, budget, .. } => format!("{name} built {:?}", budget.map(|b| b.balance())),
            Event::RetryBegan { name, budget, .. } => format!("{name} began {:?}", budget.map(|b| b.balance())),
            Event::Retried { name, budget, .. } => format!("{name} retried {:?}", budget.map(|b| b.balance())),
            Event::RetryStopped { name, reason, budget, .. } => {
                format!("{name} stopped: {reason} {:?}", budget.map(|b| b.balance()))
            }
            Event::HealthBuilt { .. } => "built".into(),
            Event::HealthDropped { phase, .. } => format!("dropped {phase}"),
            Event::PhaseChanged { from, to, .. } => format!("{from} {to}"),
            Event::RequestAdmitted { .. } => "in".into(),
            Event::RequestLeft { .. } => "out".into(),
            Event::CheckAdded { name, required, up, .. } => format!("{name} added{}", of_check(*required, *up)),
            Event::CheckRemoved { name, required, up, .. } => format!("{name} removed{}", of_check(*required, *up)),
            Event::CheckChanged { name, required, reason, .. } => {
                format!("{name} changed{}", of_check(*required, reason.is_none()))
            }
            Event::ReadinessRejected { reason, phase, .. } => format!("rejected: {reason} while {phase}"),
            Event::TaskStarted { name, .. } => format!("{name} started"),
            Event::TaskEnded { name, .. } => format!("{name} ended"),
            Event::TaskFailed { name, panicked, again_in, .. } => {
                let how = if *panicked { "panicked" } else { "failed" };
                format!("{name} {how} {again_in:?}")
            }
            Event::KeyedBuilt { name, max, .. } => format!("{name} built for {max}"),
            Event::KeyedDropped { name, max, handles, .. } => format!("{name} dropped with {handles} of {max}"),
            Event::KeyAdded { name, .. } => format!("{name} added"),
            Event::KeysForgotten { name, count, cause, .. } => format!("{name} forgot {count}: {cause:?}"),
            Event::KeysExhausted { name, .. } => format!("{name} exhausted"),
            Event::KeyOverflowed { name, .. } => format!("{name} overflowed"),
            Event::FallbackBuilt { name, .. } => format!("{name} built"),
            Event::FellBack { name, error, .. } => format!("{name} fell back: {error}"),
            #[cfg(feature = "prober")]
            Event::TargetAdded { name, state, .. } => format!("{name} added {state}"),
            #[cfg(feature = "prober")]
            Event::TargetRemoved { name, state, .. } => format!("{name} removed {state}"),
            #[cfg(feature = "prober")]
            Event::ProbeChanged { name, from, to, .. } => format!("{name} {from} {to}"),
            #[cfg(feature = "prober")]
            Event::Probed { name, outcome, error, elapsed, .. } => {
                format!("{name} {outcome:?} {elapsed:?} {}", error.unwrap_or_default())
            }
            other => panic!("no test knows of {other:?}"),
        };
        self.lines.lock().unwrap().push(line);
    }

    fn wants_calls(&self) -> bool {
        self.wants_calls
    }
}

fn of_check(required: bool, up: bool) -> String {
    format!("{} {}", if required { "!" } else { "" }, if up { "up" } else { "down" })
}
