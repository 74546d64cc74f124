//! `failsafe`, which wraps functions.

use std::time::Duration;

use failsafe::backoff::{self, Constant};
use failsafe::failure_policy::{
    ConsecutiveFailures, SuccessRateOverTimeWindow, consecutive_failures, success_rate_over_time_window,
};
use failsafe::{CircuitBreaker, Config, Error, StateMachine};

use crate::{Ask, Outcome, Peer, Rule};

/// The policy is part of the type.
pub(super) enum Failsafe {
    Consecutive(StateMachine<ConsecutiveFailures<Constant>, ()>),
    TimeWindow(StateMachine<SuccessRateOverTimeWindow<Constant>, ()>),
}

impl Peer for Failsafe {
    const NAME: &'static str = "failsafe";
    const NOTE: &'static str = "wraps a function, which borrows the breaker. Its time window is a moving average. No \
         count window, and no limit on probes.";

    fn build(rule: Rule, open_for: Duration) -> Option<Self> {
        let wait = backoff::constant(open_for);
        match rule {
            Rule::Consecutive => {
                let policy = consecutive_failures(Rule::FAILURES, wait);
                Some(Self::Consecutive(Config::new().failure_policy(policy).build()))
            }
            Rule::CountWindow => None,
            Rule::TimeWindow => {
                let policy = success_rate_over_time_window(1.0 - Rule::RATE, Rule::MINIMUM, Rule::SPAN, wait);
                Some(Self::TimeWindow(Config::new().failure_policy(policy).build()))
            }
        }
    }

    fn exact(rule: Rule) -> bool {
        rule == Rule::Consecutive
    }

    fn share(&self) -> Self {
        match self {
            Self::Consecutive(machine) => Self::Consecutive(machine.clone()),
            Self::TimeWindow(machine) => Self::TimeWindow(machine.clone()),
        }
    }

    #[inline]
    fn call(&mut self, ask: Ask) -> Outcome {
        let result = match self {
            Self::Consecutive(machine) => machine.call(|| ask.result()),
            Self::TimeWindow(machine) => machine.call(|| ask.result()),
        };
        match result {
            Ok(()) => Outcome::Done,
            Err(Error::Inner(_)) => Outcome::Failed,
            Err(Error::Rejected) => Outcome::Rejected,
        }
    }
}
