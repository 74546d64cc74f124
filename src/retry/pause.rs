use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::machine::timestamp::Timestamp;
use crate::rt::time::Alarm;

/// The time between two attempts.
#[derive(Debug)]
pub(crate) enum Pause {
    Over,
    /// Lets other tasks run, once.
    Yield,
    Until(Alarm),
}

impl Pause {
    /// A zero wait makes no timer, which would round it up to the next millisecond.
    pub(super) fn new(delay: Duration, now: Timestamp) -> Pause {
        if delay.is_zero() { Pause::Over } else { Pause::Until(Alarm::at(now.after(delay))) }
    }
}

impl Future for Pause {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if matches!(*self, Pause::Over) { Poll::Ready(()) } else { self.poll_longer(cx) }
    }
}

impl Pause {
    fn poll_longer(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut *self {
            Pause::Over => return Poll::Ready(()),
            Pause::Yield => cx.waker().wake_by_ref(),
            Pause::Until(alarm) => ready!(alarm.poll(cx)),
        }
        let yields = matches!(*self, Pause::Yield);
        *self = Pause::Over;
        if yields { Poll::Pending } else { Poll::Ready(()) }
    }
}
