//! `circuitbreaker-rs`, which wraps functions.

use std::any::Any;
use std::time::Duration;

use circuitbreaker_rs::{BreakerError, CircuitBreaker, DefaultPolicy};

use crate::{Ask, Failure, Outcome, Peer, Rule};

pub(super) type Breaker = CircuitBreaker<DefaultPolicy, Failure>;

impl Peer for Breaker {
    const NAME: &'static str = "circuitbreaker-rs";
    const NOTE: &'static str = "wraps a function, which borrows the breaker. Its rate is over all calls since the last \
         reset, so there is no count window; its `TimeBasedPolicy` has a window, but the \
         breaker records nothing in it. Probes are limited in number and not given back.";

    const HALF_OPEN_AFTER: Option<Duration> = Some(Duration::from_millis(50));

    fn build(rule: Rule, open_for: Duration) -> Option<Self> {
        let builder = Self::builder().cooldown(open_for).probe_interval(1).consecutive_successes(10);
        match rule {
            Rule::Consecutive => Some(builder.consecutive_failures(u64::from(Rule::FAILURES)).build()),
            Rule::CountWindow | Rule::TimeWindow => None,
        }
    }

    fn share(&self) -> Self {
        self.clone()
    }

    #[inline]
    fn call(&mut self, ask: Ask) -> Outcome {
        match CircuitBreaker::call(self, || ask.result()) {
            Ok(()) => Outcome::Done,
            Err(BreakerError::Operation(_)) => Outcome::Failed,
            Err(_) => Outcome::Rejected,
        }
    }

    /// The call that ends the open time, and one probe. They succeed, but ten successes are needed and a probe once
    /// taken does not come back.
    fn take_probes(&mut self) -> Box<dyn Any> {
        for _ in 0..2 {
            assert_eq!(Peer::call(self, Ask::Succeed), Outcome::Done);
        }
        Box::new(())
    }
}
