use super::handle::Slots;
use crate::Name;
use crate::health::{Check, Status};

/// Down while no slot is free.
impl Check for Slots {
    #[inline]
    fn status(&self) -> Status {
        if self.core().has_room() { Status::Up } else { Status::Down(Name::from("bulkhead full")) }
    }
}
