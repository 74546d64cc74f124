//! `recloser`, which wraps functions.

use std::sync::Arc;
use std::time::Duration;

use recloser::{Error, Recloser};

use crate::{Ask, Outcome, Peer, Rule};

pub(super) struct Shared(Arc<Recloser>);

impl Peer for Shared {
    const NAME: &'static str = "recloser";
    const NOTE: &'static str = "wraps a function, which borrows the breaker. It has a ring of calls and nothing else: \
         a ring of 5 at 100 % stands in for consecutive failures. No time window, and no limit \
         on probes.";

    fn build(rule: Rule, open_for: Duration) -> Option<Self> {
        let builder = Recloser::custom().open_wait(open_for);
        let builder = match rule {
            Rule::Consecutive => builder.error_rate(1.0).closed_len(Rule::FAILURES as usize),
            Rule::CountWindow => builder.error_rate(Rule::RATE as f32).closed_len(Rule::CALLS as usize),
            Rule::TimeWindow => return None,
        };
        Some(Self(Arc::new(builder.build())))
    }

    fn exact(rule: Rule) -> bool {
        rule == Rule::CountWindow
    }

    fn share(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    #[inline]
    fn call(&mut self, ask: Ask) -> Outcome {
        match self.0.call(|| ask.result()) {
            Ok(()) => Outcome::Done,
            Err(Error::Inner(_)) => Outcome::Failed,
            Err(Error::Rejected) => Outcome::Rejected,
        }
    }
}
