use std::time::Duration;

use super::handle::Bulkhead;
use crate::health::{Check, Status};
use crate::name::Name;

/// Down while no permit is free.
impl Check for Bulkhead {
    fn retry_after(&self) -> Option<Duration> {
        self.shared().retry_after()
    }

    #[inline]
    fn status(&self) -> Status {
        if self.shared().has_room() { Status::Up } else { Status::Down(Name::from("bulkhead full")) }
    }
}
