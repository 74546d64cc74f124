use std::borrow::Borrow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Sleep;

use super::core::{Core, Join};
use super::handle::Slots;
use super::held::{Held, Slot};
use crate::{Rejected, time};

/// The future of [`Slots::take`].
///
/// # Cancellation
/// Dropping it leaves the queue. A slot that was granted to it in the meantime goes to the next who waits.
#[must_use = "futures do nothing unless polled"]
pub struct Take(Waiter<Slots>);

impl Take {
    pub(super) fn new(slots: Slots) -> Take {
        Take(Waiter::new(slots))
    }
}

impl Future for Take {
    type Output = Result<Slot, Rejected>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.get_mut().0).poll(cx).map_ok(Slot::new)
    }
}

impl fmt::Debug for Take {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Take").finish_non_exhaustive()
    }
}

/// Somebody who wants a slot and may have to wait for it.
#[derive(Debug)]
pub(crate) struct Waiter<H: Borrow<Slots>> {
    /// Until there is an answer.
    slots: Option<H>,
    place: Place,
}

impl<H: Borrow<Slots>> Waiter<H> {
    pub(crate) fn new(slots: H) -> Waiter<H> {
        Waiter { slots: Some(slots), place: Place::default() }
    }
}

impl<H: Borrow<Slots> + Unpin> Future for Waiter<H> {
    type Output = Result<Held<H>, Rejected>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let answer = match &this.slots {
            Some(slots) => ready!(this.place.poll(slots.borrow().core(), cx)),
            None => Err(None),
        };
        match (this.slots.take(), answer) {
            (Some(slots), Ok(())) => Poll::Ready(Ok(Held::new(slots))),
            (Some(slots), Err(waited)) => Poll::Ready(Err(slots.borrow().core().reject(waited))),
            (None, _) => panic!("a future that takes a slot was polled after it was ready"),
        }
    }
}

impl<H: Borrow<Slots>> Drop for Waiter<H> {
    fn drop(&mut self) {
        if let Some(slots) = &self.slots {
            self.place.give_up(slots.borrow().core());
        }
    }
}

/// A place in the queue of a bulkhead, or no place.
#[derive(Debug, Default)]
pub(crate) struct Place {
    /// 0 for none.
    number: u64,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Place {
    /// Ready when the caller has a slot or was refused one; with the time that it waited in vain, if it did.
    pub(crate) fn poll(&mut self, core: &Core, cx: &mut Context<'_>) -> Poll<Result<(), Option<Duration>>> {
        if self.number == 0 {
            match core.try_take() {
                Ok(()) => return Poll::Ready(Ok(())),
                // To be refused costs no lock.
                Err(tally) if !core.may_wait(tally) => return Poll::Ready(Err(None)),
                Err(_) => {}
            }
            match core.join(cx.waker()) {
                Join::Taken => return Poll::Ready(Ok(())),
                Join::Refused => return Poll::Ready(Err(None)),
                Join::Queued(number) => {
                    self.number = number;
                    self.timer = time::sleep_until(core.wait_ends()).map(Box::pin);
                }
            }
        } else if core.is_granted(self.number, cx.waker()) {
            self.number = 0;
            return Poll::Ready(Ok(()));
        }
        match &mut self.timer {
            None => return Poll::Pending,
            Some(timer) => ready!(timer.as_mut().poll(cx)),
        }
        // A slot that was granted at the last moment wins over the time.
        let in_vain = core.leave(std::mem::take(&mut self.number));
        Poll::Ready(if in_vain { Err(Some(core.max_wait())) } else { Ok(()) })
    }

    pub(crate) fn give_up(&mut self, core: &Core) {
        if self.number != 0 && !core.leave(self.number) {
            // It was granted and nobody came for it.
            core.give_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::time::readings;

    /// BH-03: only a call that has to wait reads the clock, once.
    #[tokio::test(start_paused = true)]
    async fn clock_readings() {
        let slots = Slots::builder("ship").limit(1).max_wait(Duration::from_secs(1)).build().expect("valid");
        let cx = &mut Context::from_waker(Waker::noop());
        let (slot, none) = readings::during(|| Pin::new(&mut slots.take()).poll(cx));
        assert!(slot.is_ready());
        let mut waits = slots.take();
        let (poll, once) = readings::during(|| Pin::new(&mut waits).poll(cx));
        assert!(poll.is_pending());
        let (rejected, not_at_all) = readings::during(|| slots.try_take());
        assert!(rejected.is_err());
        let (poll, not_again) = readings::during(|| {
            let _pending = Pin::new(&mut waits).poll(cx);
            drop(slot);
            Pin::new(&mut waits).poll(cx)
        });
        assert!(poll.is_ready());
        assert_eq!((none, once, not_at_all, not_again), (0, 1, 0, 0));
    }
}
