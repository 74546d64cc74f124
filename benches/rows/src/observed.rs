//! Calls that are observed by metrics when no recorder is installed. The floor of such a row is a call that nobody
//! observes.

use seaworthy::circuit_breaker::{CircuitBreakerBuilder, CircuitBreakerService};
use seaworthy::{CircuitBreaker, MetricsObserver};
use tower::Layer;

use crate::kit::{Inner, REQUEST, ask};

const MANY: usize = 50_000;

/// Calls that cycle through this many circuit breakers, each with a name of its own.
fn calls(count: usize, observed: fn(CircuitBreakerBuilder) -> CircuitBreakerBuilder) -> impl FnMut() -> bool {
    let service = |number| {
        let builder = observed(CircuitBreaker::builder(format!("bench-{number}")));
        builder.build().expect("the settings are valid").layer().layer(Inner::new())
    };
    let mut services: Vec<CircuitBreakerService<Inner<u64>>> = (0..count).map(service).collect();
    let mut next = 0;
    move || {
        next = (next + 7) % count;
        ask::<1, _>(&mut services[next]).is_ok_and(|answer| answer == REQUEST)
    }
}

fn metrics(builder: CircuitBreakerBuilder) -> CircuitBreakerBuilder {
    builder.observer(MetricsObserver::new())
}

fn nobody(builder: CircuitBreakerBuilder) -> CircuitBreakerBuilder {
    builder
}

pub fn metrics_of_one() -> impl FnMut() -> bool {
    calls(1, metrics)
}

pub fn nobody_of_one() -> impl FnMut() -> bool {
    calls(1, nobody)
}

pub fn metrics_of_many() -> impl FnMut() -> bool {
    calls(MANY, metrics)
}

pub fn nobody_of_many() -> impl FnMut() -> bool {
    calls(MANY, nobody)
}
