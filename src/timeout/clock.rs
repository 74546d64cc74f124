use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::context;
use crate::rt::time::{Countdown, TimeUp};

/// The timer of one call.
#[derive(Debug)]
pub(crate) enum Clock {
    /// No one has had to wait yet.
    Ahead(Duration),
    /// Boxed, because a timer is three times as large as everything else, most calls never need one, and a call that
    /// does is waiting anyway.
    Running(Pin<Box<Countdown>>),
    /// There is no limit but the call's deadline, if it has one.
    Endless,
}

impl Clock {
    #[inline]
    pub(crate) fn new(after: Option<Duration>) -> Clock {
        after.map_or(Clock::Endless, Clock::Ahead)
    }

    /// Called while the call is pending: starts the timer if it is not running yet. Ready when the time is up.
    #[inline]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<TimeUp> {
        match self {
            Clock::Endless if !context::has_deadline() => Poll::Pending,
            Clock::Endless => self.start(None, cx),
            Clock::Running(timer) => timer.as_mut().poll(cx),
            // A timer would round it up to a millisecond.
            Clock::Ahead(after) if after.is_zero() => Poll::Ready(TimeUp::Limit(Duration::ZERO)),
            Clock::Ahead(after) => {
                let after = *after;
                self.start(Some(after), cx)
            }
        }
    }

    fn start(&mut self, limit: Option<Duration>, cx: &mut Context<'_>) -> Poll<TimeUp> {
        // A timer would round up what is left, which may be nothing.
        if context::deadline_has_passed() {
            return Poll::Ready(TimeUp::Deadline);
        }
        let timer = match context::has_deadline() {
            true => Countdown::until(limit, context::deadline()),
            false => limit.and_then(Countdown::boxed),
        };
        match timer {
            Some(mut timer) => {
                let poll = timer.as_mut().poll(cx);
                *self = Clock::Running(timer);
                poll
            }
            None => {
                *self = Clock::Endless;
                Poll::Pending
            }
        }
    }
}
