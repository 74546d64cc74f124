use std::time::Duration;

use super::handle::CircuitBreaker;
use crate::health::{Check, Status};
use crate::name::Name;

/// Down while the circuit is open and no probe may pass: for the rest of its open time, or for as long as it is forced
/// open. Up while it is half-open and once the open time is over, so that there are requests to probe with. Checking
/// changes nothing.
impl Check for CircuitBreaker {
    fn retry_after(&self) -> Option<Duration> {
        self.snapshot().retry_after.filter(|left| !left.is_zero())
    }

    #[inline]
    fn status(&self) -> Status {
        if self.shared().keeps_all_out() { Status::Down(Name::from("circuit open")) } else { Status::Up }
    }
}
