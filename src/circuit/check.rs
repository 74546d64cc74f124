use std::time::Duration;

use super::handle::Circuit;
use crate::Name;
use crate::health::{Check, Status};

/// Down while it is open and no probe may pass: for the rest of its open time, and while it was forced open. Up while it
/// is half-open and from the end of its open time on, so that there are requests to probe with. Asking changes nothing.
impl Check for Circuit {
    fn retry_after(&self) -> Option<Duration> {
        self.snapshot().retry_after.filter(|left| !left.is_zero())
    }

    #[inline]
    fn status(&self) -> Status {
        if self.core().keeps_all_out() { Status::Down(Name::from("circuit open")) } else { Status::Up }
    }
}
