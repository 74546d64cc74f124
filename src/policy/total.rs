use std::task::{Context, Poll};
use std::time::Duration;

use crate::context;
use crate::context::Entered;
use crate::machine::timestamp::Timestamp;
use crate::rt::time::TimeUp;
use crate::timeout::Clock;

/// The limit of a whole call with all of its attempts, and a deadline that the policy gave it. Boxed, because most
/// calls have neither.
pub(super) struct TotalClock(Option<Box<WholeCall>>);

struct WholeCall {
    clock: Clock,
    deadline: Timestamp,
}

impl TotalClock {
    #[inline(always)]
    pub(super) fn new(limit: Option<Duration>, deadline: Option<Timestamp>) -> TotalClock {
        if limit.is_none() && deadline.is_none() {
            return TotalClock::NONE;
        }
        TotalClock(Some(Box::new(WholeCall {
            clock: Clock::new(limit),
            deadline: deadline.unwrap_or(Timestamp::NEVER),
        })))
    }

    /// Makes the deadline current that the policy gave the call, if it did.
    #[inline(always)]
    pub(super) fn enter(&self) -> Option<EnteredRarely> {
        self.0.as_ref().map(|total| EnteredRarely::new(total.deadline))
    }

    #[inline(always)]
    pub(super) fn is_some(&self) -> bool {
        self.0.is_some()
    }

    pub(super) const NONE: TotalClock = TotalClock(None);

    /// The call waits for something that does not look at its deadline: this does from now on.
    #[cold]
    pub(super) fn heed_deadline(&mut self, cx: &mut Context<'_>) {
        if self.0.is_none() && context::has_deadline() {
            // Its timer is made at the next poll.
            cx.waker().wake_by_ref();
            self.0 = Some(Box::new(WholeCall { clock: Clock::new(None), deadline: Timestamp::NEVER }));
        }
    }

    /// Called while the call is pending. Ready when the time is up.
    #[inline(always)]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<TimeUp> {
        match &mut self.0 {
            None => Poll::Pending,
            Some(total) => total.clock.poll(cx),
        }
    }
}

/// [`Entered`], out of the way of calls whose policy gives them no deadline.
pub(super) struct EnteredRarely(Option<Entered>);

impl EnteredRarely {
    #[cold]
    #[inline(never)]
    pub(super) fn new(deadline: Timestamp) -> EnteredRarely {
        EnteredRarely(Some(context::enter(deadline)))
    }
}

impl Drop for EnteredRarely {
    #[cold]
    #[inline(never)]
    fn drop(&mut self) {
        self.0 = None;
    }
}
