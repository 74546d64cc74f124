//! Handles that are checks: the service is not ready while they reject.

use std::time::Duration;

use arcstr::literal;

use super::check::{Check, Status};
use super::handle::{Health, phase_in_the_way};
use crate::bulkhead::handle::Bulkhead;
use crate::circuit_breaker::handle::CircuitBreaker;
use crate::machine::lifecycle::phase::Phase;
use crate::name::Name;

/// Down while the circuit is open and no probe may pass: for the rest of its open time, or for as long as it is forced
/// open. Up while it is half-open and once the open time is over, so that requests arrive to probe with. Checking
/// changes nothing.
impl Check for CircuitBreaker {
    fn retry_after(&self) -> Option<Duration> {
        self.snapshot().retry_after.filter(|left| !left.is_zero())
    }

    #[inline]
    fn status(&self) -> Status {
        if self.shared().keeps_all_out() { Status::Down(Name::literal(literal!("circuit open"))) } else { Status::Up }
    }
}

/// Down while no permit is free.
impl Check for Bulkhead {
    fn retry_after(&self) -> Option<Duration> {
        self.shared().retry_after()
    }

    #[inline]
    fn status(&self) -> Status {
        if self.shared().has_room() { Status::Up } else { Status::Down(Name::literal(literal!("bulkhead full"))) }
    }
}

/// Its phase: up while it is [`Serving`](Phase::Serving). Its own checks do not count, so a health may even be one of
/// them.
impl Check for Health {
    fn status(&self) -> Status {
        match self.phase() {
            Phase::Serving => Status::Up,
            phase => Status::Down(phase_in_the_way(phase)),
        }
    }
}
