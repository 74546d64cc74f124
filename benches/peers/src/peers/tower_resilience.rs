//! `tower-resilience-circuitbreaker`, driven as the tower service it is.

use std::any::Any;
use std::time::Duration;

use tower_layer::Layer;
use tower_resilience_circuitbreaker::{
    CircuitBreaker, CircuitBreakerError, CircuitBreakerLayer, DefaultClassifier, SlidingWindowType,
};

use crate::{Ask, Inner, Outcome, Peer, Rule, drive};

pub(super) type TowerResilience = CircuitBreaker<Inner, DefaultClassifier>;

fn layer(rule: Rule, open_for: Duration) -> CircuitBreakerLayer {
    let builder = CircuitBreakerLayer::builder()
        .wait_duration_in_open(open_for)
        .permitted_calls_in_half_open(1)
        .failure_rate_threshold(Rule::RATE);
    match rule {
        Rule::Consecutive => builder.consecutive_failures(Rule::FAILURES as usize),
        Rule::CountWindow => builder.sliding_window_size(Rule::CALLS as usize),
        Rule::TimeWindow => builder
            .sliding_window_type(SlidingWindowType::TimeBased)
            .sliding_window_duration(Rule::SPAN)
            .minimum_number_of_calls(Rule::MINIMUM as usize),
    }
    .build()
    .expect("the settings are valid")
}

impl Peer for TowerResilience {
    const NAME: &'static str = "tower-resilience";
    const NOTE: &'static str = "a tower service. Its count window does not slide: it counts from the last change of \
         state on.";

    const HALF_OPEN_AFTER: Option<Duration> = Some(Duration::from_millis(50));

    fn build(rule: Rule, open_for: Duration) -> Option<Self> {
        Some(layer(rule, open_for).layer(Inner::new()))
    }

    fn exact(rule: Rule) -> bool {
        rule != Rule::CountWindow
    }

    fn share(&self) -> Self {
        self.clone()
    }

    #[inline]
    fn call(&mut self, ask: Ask) -> Outcome {
        match drive::call(self, ask) {
            Ok(()) => Outcome::Done,
            Err(CircuitBreakerError::OpenCircuit) => Outcome::Rejected,
            Err(CircuitBreakerError::Inner(_)) => Outcome::Failed,
        }
    }

    fn take_probes(&mut self) -> Box<dyn Any> {
        drive::hang(self)
    }

    /// Services of one layer share its settings and have a circuit breaker each.
    fn many(count: usize) -> Vec<Self> {
        let layer = layer(Rule::Consecutive, Duration::from_secs(30));
        let mut breakers = Vec::with_capacity(count);
        breakers.extend((0..count).map(|_| layer.layer(Inner::new())));
        breakers
    }
}
