use std::task::{Context, Poll};
use std::time::Duration;

use crate::rt::time::TimeUp;
use crate::timeout::Clock;

/// The limit of a whole call with all of its attempts. Boxed, because most calls have none.
pub(super) struct TotalClock(Option<Box<Clock>>);

impl TotalClock {
    #[inline(always)]
    pub(super) fn new(limit: Option<Duration>) -> TotalClock {
        TotalClock(limit.map(|_| Box::new(Clock::new(limit))))
    }

    pub(super) const NONE: TotalClock = TotalClock(None);

    /// Called while the call is pending. Ready when the time is up.
    #[inline(always)]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<TimeUp> {
        match &mut self.0 {
            None => Poll::Pending,
            Some(clock) => clock.poll(cx),
        }
    }
}
