use std::time::Duration;

use super::handle::Slots;
use crate::Name;
use crate::health::{Check, Status};

/// Down while no slot is free.
impl Check for Slots {
    fn retry_after(&self) -> Option<Duration> {
        self.core().retry_after()
    }

    #[inline]
    fn status(&self) -> Status {
        if self.core().has_room() { Status::Up } else { Status::Down(Name::from("bulkhead full")) }
    }
}
