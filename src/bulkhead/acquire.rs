use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::handle::Bulkhead;
use super::permit::Permit;
use super::shared::{QueueAnswer, Shared};
use crate::admission::Admission;
use crate::error::Rejected;
use crate::rt::panic::polled_again;
use crate::rt::time::Alarm;

/// The future of [`Bulkhead::acquire`].
///
/// # Cancellation
/// Dropping it leaves the queue. A permit granted to it in the meantime goes to the next waiter.
#[must_use = "futures do nothing unless polled"]
pub struct Acquire {
    /// `None` once there is an answer.
    bulkhead: Option<Bulkhead>,
    place: QueueState,
}

impl Acquire {
    pub(super) fn new(bulkhead: Bulkhead) -> Acquire {
        Acquire { bulkhead: Some(bulkhead), place: QueueState::default() }
    }
}

impl Future for Acquire {
    type Output = Result<Permit, Rejected>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let answer = match &this.bulkhead {
            Some(bulkhead) => ready!(this.place.poll(bulkhead.shared(), cx)),
            None => Err(None),
        };
        match (this.bulkhead.take(), answer) {
            (Some(bulkhead), Ok(())) => Poll::Ready(Ok(Permit::new(bulkhead))),
            (Some(bulkhead), Err(waited)) => Poll::Ready(Err(bulkhead.reject(waited))),
            (None, _) => polled_again("a future that acquires a permit"),
        }
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        if let Some(bulkhead) = &self.bulkhead {
            self.place.give_up(bulkhead.shared());
        }
    }
}

impl fmt::Debug for Acquire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").finish_non_exhaustive()
    }
}

/// A place in the queue of a bulkhead, or none.
#[derive(Debug, Default)]
pub(crate) struct QueueState {
    /// 0 for none.
    number: u64,
    alarm: Alarm,
}

impl QueueState {
    /// Ready when the caller has a permit or was refused one; the error holds the time it waited, if it did.
    pub(crate) fn poll(&mut self, shared: &Shared, cx: &mut Context<'_>) -> Poll<Result<(), Option<Duration>>> {
        if self.number == 0 {
            match shared.try_acquire() {
                Ok(()) => return Poll::Ready(Ok(())),
                // A refusal takes no lock.
                Err(permits) if !shared.may_wait(permits) => return Poll::Ready(Err(None)),
                Err(_) => {}
            }
            match shared.join(cx.waker()) {
                QueueAnswer::Taken => return Poll::Ready(Ok(())),
                QueueAnswer::Refused => return Poll::Ready(Err(None)),
                QueueAnswer::Queued(number) => {
                    self.number = number;
                    self.alarm.set(shared.wait_ends());
                }
            }
        } else if shared.is_granted(self.number, cx.waker()) {
            self.number = 0;
            return Poll::Ready(Ok(()));
        }
        ready!(self.alarm.poll(cx));
        // A permit granted at the last moment wins over the timeout.
        let in_vain = shared.leave(std::mem::take(&mut self.number));
        Poll::Ready(if in_vain { Err(Some(shared.max_wait())) } else { Ok(()) })
    }

    pub(crate) fn give_up(&mut self, shared: &Shared) {
        let number = std::mem::take(&mut self.number);
        if number != 0 && !shared.leave(number) {
            // It was granted, and the caller is gone.
            shared.give_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::rt::time::readings;

    /// BH-03: only a call that has to wait reads the clock, once.
    #[tokio::test(start_paused = true)]
    async fn clock_readings() {
        let bulkhead = Bulkhead::builder("ship").limit(1).max_wait(Duration::from_secs(1)).build().expect("valid");
        let cx = &mut Context::from_waker(Waker::noop());
        let (permit, none) = readings::during(|| Pin::new(&mut bulkhead.acquire()).poll(cx));
        assert!(permit.is_ready());
        let mut waits = bulkhead.acquire();
        let (poll, once) = readings::during(|| Pin::new(&mut waits).poll(cx));
        assert!(poll.is_pending());
        let (rejected, not_at_all) = readings::during(|| bulkhead.try_acquire());
        assert!(rejected.is_err());
        let (poll, not_again) = readings::during(|| {
            let _pending = Pin::new(&mut waits).poll(cx);
            drop(permit);
            Pin::new(&mut waits).poll(cx)
        });
        assert!(poll.is_ready());
        assert_eq!((none, once, not_at_all, not_again), (0, 1, 0, 0));
    }
}
