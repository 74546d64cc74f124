use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::handle::Bulkhead;
use super::permit::Permit;
use super::shared::{QueueAnswer, Shared};
use crate::admission::Admission;
use crate::context;
use crate::error::{DeadlineStage, Rejected};
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
            None => Err(QueueRefusal::Full(None)),
        };
        match (this.bulkhead.take(), answer) {
            (Some(bulkhead), Ok(())) => Poll::Ready(Ok(Permit::new(bulkhead))),
            (Some(bulkhead), Err(QueueRefusal::Full(waited))) => Poll::Ready(Err(bulkhead.reject(waited))),
            (Some(bulkhead), Err(QueueRefusal::DeadlineExceeded(stage))) => {
                Poll::Ready(Err(bulkhead.deadline_exceeded(stage)))
            }
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

/// Why a call got no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueueRefusal {
    /// None was free, or became free within this time, if it waited.
    Full(Option<Duration>),
    /// Its deadline passed before it had one.
    DeadlineExceeded(DeadlineStage),
}

/// A place in the queue of a bulkhead, or none.
#[derive(Debug, Default)]
pub(crate) struct QueueState {
    /// 0 for none. The highest bit says that the alarm is set to the deadline of the call.
    number: u64,
    alarm: Alarm,
}

const UNTIL_DEADLINE: u64 = 1 << 63;

impl QueueState {
    /// Ready when the caller has a permit or was refused one.
    pub(crate) fn poll(&mut self, shared: &Shared, cx: &mut Context<'_>) -> Poll<Result<(), QueueRefusal>> {
        if self.number == 0 {
            if context::deadline_has_passed() {
                return Poll::Ready(Err(QueueRefusal::DeadlineExceeded(DeadlineStage::Arrival)));
            }
            match shared.try_acquire() {
                Ok(()) => return Poll::Ready(Ok(())),
                // A refusal takes no lock.
                Err(permits) if !shared.may_wait(permits) => return Poll::Ready(Err(QueueRefusal::Full(None))),
                Err(_) => {}
            }
            match shared.join(cx.waker()) {
                QueueAnswer::Taken => return Poll::Ready(Ok(())),
                QueueAnswer::Refused => return Poll::Ready(Err(QueueRefusal::Full(None))),
                QueueAnswer::Queued(number) => {
                    let (ends, deadline) = (shared.wait_ends(), context::deadline());
                    self.number = if deadline < ends { number | UNTIL_DEADLINE } else { number };
                    self.alarm.set(deadline.min(ends));
                }
            }
        } else if shared.is_granted(self.number & !UNTIL_DEADLINE, cx.waker()) {
            self.number = 0;
            return Poll::Ready(in_time(shared));
        }
        ready!(self.alarm.poll(cx));
        let number = std::mem::take(&mut self.number);
        // A permit granted at the last moment wins over the timeout, but not over the deadline.
        let in_vain = shared.leave(number & !UNTIL_DEADLINE);
        Poll::Ready(match in_vain {
            true if number & UNTIL_DEADLINE != 0 => Err(QueueRefusal::DeadlineExceeded(DeadlineStage::Queue)),
            true => Err(QueueRefusal::Full(Some(shared.max_wait()))),
            false => in_time(shared),
        })
    }

    pub(crate) fn give_up(&mut self, shared: &Shared) {
        let number = std::mem::take(&mut self.number) & !UNTIL_DEADLINE;
        if number != 0 && !shared.leave(number) {
            // It was granted, and the caller is gone.
            shared.give_back();
        }
    }
}

/// A permit that comes after the deadline goes on to the next one in the queue.
fn in_time(shared: &Shared) -> Result<(), QueueRefusal> {
    if context::deadline_has_passed() {
        shared.give_back();
        return Err(QueueRefusal::DeadlineExceeded(DeadlineStage::Queue));
    }
    Ok(())
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
