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
mod extension;
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

use seaworthy::observe::{
    BulkheadEvent, CircuitBreakerEvent, FallbackEvent, HealthEvent, Interest, KeyedEvent, ProbeEvent, RetryEvent,
    RunnerEvent,
};
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
            Event::CircuitBreaker(CircuitBreakerEvent::Built { name, .. }) => format!("{name} built"),
            Event::CircuitBreaker(CircuitBreakerEvent::Dropped { name, state, .. }) => {
                format!("{name} dropped {state}")
            }
            Event::CircuitBreaker(CircuitBreakerEvent::Settled { name, verdict, elapsed, .. }) => {
                format!("{name} {verdict:?} {elapsed:?}")
            }
            Event::CircuitBreaker(CircuitBreakerEvent::ReadyFailed { name, .. }) => format!("{name} not ready"),
            Event::CircuitBreaker(CircuitBreakerEvent::Transition { name, from, to, .. }) => {
                format!("{name} {from} {to}")
            }
            Event::CircuitBreaker(CircuitBreakerEvent::Rejected { name, .. }) => format!("{name} rejected"),
            Event::Bulkhead(BulkheadEvent::Resized { name, from, to, .. }) => format!("{name} has {to} for {from}"),
            Event::Bulkhead(BulkheadEvent::Acquired { name, .. }) => format!("{name} acquired"),
            Event::Bulkhead(BulkheadEvent::Queued { name, .. }) => format!("{name} queued"),
            Event::Bulkhead(BulkheadEvent::Granted { name, .. }) => format!("{name} granted"),
            Event::Bulkhead(BulkheadEvent::Released { name, .. }) => format!("{name} released"),
            Event::Bulkhead(BulkheadEvent::Left { name, .. }) => format!("{name} left"),
            Event::Bulkhead(BulkheadEvent::Rejected { name, .. }) => format!("{name} rejected"),
            Event::Retry(RetryEvent::Built { name, budget, .. }) => {
                format!("{name} built {:?}", budget.map(|b| b.balance()))
            }
            Event::Retry(RetryEvent::Began { name, budget, .. }) => {
                format!("{name} began {:?}", budget.map(|b| b.balance()))
            }
            Event::Retry(RetryEvent::Retried { name, budget, .. }) => {
                format!("{name} retried {:?}", budget.map(|b| b.balance()))
            }
            Event::Retry(RetryEvent::Stopped { name, reason, budget, .. }) => {
                format!("{name} stopped: {reason} {:?}", budget.map(|b| b.balance()))
            }
            Event::Health(HealthEvent::Built { .. }) => "built".into(),
            Event::Health(HealthEvent::Dropped { phase, .. }) => format!("dropped {phase}"),
            Event::Health(HealthEvent::PhaseChanged { from, to, .. }) => format!("{from} {to}"),
            Event::Health(HealthEvent::RequestAdmitted { .. }) => "in".into(),
            Event::Health(HealthEvent::RequestLeft { .. }) => "out".into(),
            Event::Health(HealthEvent::CheckAdded { name, required, up, .. }) => {
                format!("{name} added{}", of_check(*required, *up))
            }
            Event::Health(HealthEvent::CheckRemoved { name, required, up, .. }) => {
                format!("{name} removed{}", of_check(*required, *up))
            }
            Event::Health(HealthEvent::CheckChanged { name, required, reason, .. }) => {
                format!("{name} changed{}", of_check(*required, reason.is_none()))
            }
            Event::Health(HealthEvent::Rejected { reason, phase, .. }) => format!("rejected: {reason} while {phase}"),
            Event::Runner(RunnerEvent::TaskStarted { name, .. }) => format!("{name} started"),
            Event::Runner(RunnerEvent::TaskEnded { name, .. }) => format!("{name} ended"),
            Event::Runner(RunnerEvent::TaskFailed { name, panicked, again_in, .. }) => {
                let how = if *panicked { "panicked" } else { "failed" };
                format!("{name} {how} {again_in:?}")
            }
            Event::Keyed(KeyedEvent::Built { name, max, .. }) => format!("{name} built for {max}"),
            Event::Keyed(KeyedEvent::Dropped { name, max, handles, .. }) => {
                format!("{name} dropped with {handles} of {max}")
            }
            Event::Keyed(KeyedEvent::Added { name, .. }) => format!("{name} added"),
            Event::Keyed(KeyedEvent::Evicted { name, count, cause, .. }) => {
                format!("{name} evicted {count}: {cause:?}")
            }
            Event::Keyed(KeyedEvent::Exhausted { name, .. }) => format!("{name} exhausted"),
            Event::Keyed(KeyedEvent::Overflowed { name, .. }) => format!("{name} overflowed"),
            Event::Fallback(FallbackEvent::Built { name, .. }) => format!("{name} built"),
            Event::Fallback(FallbackEvent::FellBack { name, error, .. }) => format!("{name} fell back: {error}"),
            #[cfg(feature = "prober")]
            Event::Probe(ProbeEvent::TargetAdded { name, state, .. }) => format!("{name} added {state}"),
            #[cfg(feature = "prober")]
            Event::Probe(ProbeEvent::TargetRemoved { name, state, .. }) => format!("{name} removed {state}"),
            #[cfg(feature = "prober")]
            Event::Probe(ProbeEvent::Transition { name, from, to, .. }) => format!("{name} {from} {to}"),
            #[cfg(feature = "prober")]
            Event::Probe(ProbeEvent::Probed { name, outcome, error, elapsed, .. }) => {
                format!("{name} {outcome:?} {elapsed:?} {}", error.unwrap_or_default())
            }
            other => panic!("no test knows of {other:?}"),
        };
        self.lines.lock().unwrap().push(line);
    }

    fn interest(&self) -> Interest {
        if self.wants_calls { Interest::Calls } else { Interest::Changes }
    }
}

fn of_check(required: bool, up: bool) -> String {
    format!("{} {}", if required { "!" } else { "" }, if up { "up" } else { "down" })
}
