//! What `MetricsObserver` costs a call when no recorder is installed, beside a call without an observer: for one
//! circuit breaker, and for calls that cycle through 50,000 of them.
//!
//! `cargo bench --bench metrics --features metrics` prints a table of ratios; `-- --test` runs each row once.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a benchmark measures real time and may fail")]

mod common;

use std::hint::black_box;

use common::ratio::Table;
use common::{Inner, StackError, call};
use seaworthy::circuit_breaker::{CircuitBreakerBuilder, CircuitBreakerService};
use seaworthy::{CircuitBreaker, Event, MetricsObserver, Observer};
use tower::Layer;

const MANY: usize = 50_000;

/// Wants events of calls, and does nothing with them.
struct Idle;

impl Observer for Idle {
    fn on_event(&self, event: &Event<'_>) {
        black_box(event);
    }

    fn interest(&self) -> seaworthy::observe::Interest {
        seaworthy::observe::Interest::Calls
    }
}

/// Calls that cycle through this many circuit breakers of different names.
fn calls(
    count: usize,
    observed: fn(CircuitBreakerBuilder) -> CircuitBreakerBuilder,
) -> impl FnMut() -> Result<u64, StackError> {
    let service =
        |number| observed(CircuitBreaker::builder(format!("bench-{number}"))).build().unwrap().layer().layer(Inner);
    let mut services: Vec<CircuitBreakerService<Inner>> = (0..count).map(service).collect();
    let mut next = 0;
    move || {
        next = (next + 7) % count;
        call(&mut services[next], black_box(7))
    }
}

fn main() {
    let unobserved: fn(CircuitBreakerBuilder) -> CircuitBreakerBuilder = |builder| builder;
    let metrics: fn(CircuitBreakerBuilder) -> CircuitBreakerBuilder =
        |builder| builder.observer(MetricsObserver::new());
    let idle: fn(CircuitBreakerBuilder) -> CircuitBreakerBuilder = |builder| builder.observer(Idle);
    if std::env::args().any(|arg| arg == "--test" || arg == "--list") {
        for observed in [unobserved, metrics, idle] {
            calls(3, observed)().unwrap();
        }
        return;
    }
    let mut table = Table::new();
    table.row(
        "wants calls and does nothing, to a call that nobody observes",
        "–",
        calls(1, unobserved),
        calls(1, idle),
    );
    table.row("metrics, 1 name, to a call that nobody observes", "–", calls(1, unobserved), calls(1, metrics));
    table.row("metrics, 1 name, to an observer that does nothing", "3", calls(1, idle), calls(1, metrics));
    table.row("metrics, 50,000 names, to nobody observing 50,000", "3", calls(MANY, unobserved), calls(MANY, metrics));
    table.row("metrics, 50,000 names, to an observer that does nothing", "3", calls(MANY, idle), calls(MANY, metrics));
    table.print("metrics");
}
