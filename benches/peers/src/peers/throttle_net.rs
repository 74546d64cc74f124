//! `throttle-net`, whose breaker hands out permits and always wraps a limiter.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use throttle_net::{CircuitBreaker, Decision, Limiter, Trip};

use crate::{Ask, Outcome, Peer, Rule};

/// Limits nothing, so that only the breaker is measured.
pub(super) struct NoLimit;

impl Limiter for NoLimit {
    fn peek(&self, _: u32) -> Decision {
        Decision::Acquired
    }

    fn acquire_cost(&self, _: u32) -> Decision {
        Decision::Acquired
    }

    fn available(&self) -> u32 {
        u32::MAX
    }

    fn capacity(&self) -> u32 {
        u32::MAX
    }
}

pub(super) struct Breaker(Arc<CircuitBreaker<NoLimit>>);

impl Peer for Breaker {
    const NAME: &'static str = "throttle-net";
    const NOTE: &'static str = "`try_acquire` and a borrowed permit, around a limiter that limits nothing. Its time \
         window is a number of failures, not a rate: a success writes nothing to it.";

    const HALF_OPEN_AFTER: Option<Duration> = Some(Duration::from_millis(50));

    fn build(rule: Rule, open_for: Duration) -> Option<Self> {
        let trip = match rule {
            Rule::Consecutive => Trip::Consecutive(Rule::FAILURES),
            Rule::CountWindow => Trip::Ratio { window: Rule::CALLS, ratio: Rule::RATE, min_calls: Rule::CALLS },
            Rule::TimeWindow => Trip::Windowed { failures: Rule::MINIMUM, period: Rule::SPAN },
        };
        let breaker = CircuitBreaker::builder().trip(trip).cooldown(open_for).half_open(1, 1);
        Some(Self(Arc::new(breaker.build(NoLimit))))
    }

    fn exact(rule: Rule) -> bool {
        rule != Rule::TimeWindow
    }

    fn share(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    #[inline]
    fn call(&mut self, ask: Ask) -> Outcome {
        let Ok(Some(permit)) = self.0.try_acquire() else {
            return Outcome::Rejected;
        };
        match ask.result() {
            Ok(()) => {
                permit.success();
                Outcome::Done
            }
            Err(_) => {
                permit.failure();
                Outcome::Failed
            }
        }
    }

    fn take_probes(&mut self) -> Box<dyn Any> {
        let probe = self.0.try_acquire_owned().expect("the open time is over");
        Box::new(probe.expect("nothing is limited"))
    }
}
