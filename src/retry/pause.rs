use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Sleep;

use crate::machine::timestamp::Timestamp;
use crate::rt::time;

/// The time between two attempts.
#[derive(Debug)]
pub(crate) enum Pause {
    Over,
    /// Lets other tasks run, once.
    Yield,
    /// Boxed, because a call that waits can afford it, and one that does not should not carry a timer around.
    Until(Pin<Box<Sleep>>),
    WithoutEnd,
}

impl Pause {
    /// A zero wait makes no timer, which would round it up to the next millisecond.
    pub(super) fn new(delay: Duration, now: impl FnOnce() -> Timestamp) -> Pause {
        if delay.is_zero() {
            return Pause::Over;
        }
        time::sleep_until(now().after(delay)).map_or(Pause::WithoutEnd, |sleep| Pause::Until(Box::pin(sleep)))
    }
}

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut *self {
            Pause::Over => return Poll::Ready(()),
            Pause::Yield => cx.waker().wake_by_ref(),
            Pause::Until(sleep) => std::task::ready!(sleep.as_mut().poll(cx)),
            Pause::WithoutEnd => return Poll::Pending,
        }
        let yields = matches!(*self, Pause::Yield);
        *self = Pause::Over;
        if yields { Poll::Pending } else { Poll::Ready(()) }
    }
}
