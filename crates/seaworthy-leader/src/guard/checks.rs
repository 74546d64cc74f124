use seaworthy::{Check, Name, Status};

use super::watch::LeaderWatch;

/// Up while this process leads. Made by [`LeaderGuard::leading`](super::LeaderGuard::leading).
#[derive(Clone, Debug)]
pub struct LeadingCheck(LeaderWatch);

/// Down once the elector's store has not answered for one ttl. Made by
/// [`LeaderGuard::store`](super::LeaderGuard::store).
#[derive(Clone, Debug)]
pub struct StoreCheck(LeaderWatch);

impl LeadingCheck {
    pub(super) fn new(watch: LeaderWatch) -> LeadingCheck {
        LeadingCheck(watch)
    }
}

impl StoreCheck {
    pub(super) fn new(watch: LeaderWatch) -> StoreCheck {
        StoreCheck(watch)
    }
}

impl Check for LeadingCheck {
    fn status(&self) -> Status {
        match self.0.epoch() {
            Some(_) => Status::Up,
            None => Status::Down(Name::from("not leader")),
        }
    }
}

impl Check for StoreCheck {
    fn status(&self) -> Status {
        match self.0.store_answers() {
            Ok(()) => Status::Up,
            Err(why) => Status::Down(Name::from(why)),
        }
    }
}
