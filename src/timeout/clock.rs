use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::rt::time::Countdown;

/// The timer of one call.
#[derive(Debug)]
pub(crate) enum Clock {
    /// No one has had to wait yet.
    Ahead(Duration),
    /// Boxed, because a timer is three times as large as everything else, most calls never need one, and a call that
    /// does is waiting anyway.
    Running(Pin<Box<Countdown>>),
    /// There is no limit.
    Endless,
}

impl Clock {
    #[inline]
    pub(crate) fn new(after: Option<Duration>) -> Clock {
        after.map_or(Clock::Endless, Clock::Ahead)
    }

    /// Called while the call is pending: starts the timer if it is not running yet. Ready, with the limit, when the
    /// time is up.
    #[inline]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Duration> {
        match self {
            Clock::Endless => Poll::Pending,
            Clock::Running(timer) => timer.as_mut().poll(cx),
            // A timer would round it up to a millisecond.
            Clock::Ahead(after) if after.is_zero() => Poll::Ready(Duration::ZERO),
            Clock::Ahead(after) => match Countdown::boxed(*after) {
                Some(mut timer) => {
                    let poll = timer.as_mut().poll(cx);
                    *self = Clock::Running(timer);
                    poll
                }
                None => {
                    *self = Clock::Endless;
                    Poll::Pending
                }
            },
        }
    }
}
