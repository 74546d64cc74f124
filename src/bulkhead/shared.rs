use std::convert::Infallible;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use super::locked::{LockedQueue, advance};
use crate::context;
use crate::error::{DeadlineStage, Rejected, RetryAfter};
use crate::machine::bulkhead::permits::Permits;
use crate::machine::bulkhead::queue::WaitQueue;
use crate::machine::timestamp::Timestamp;
use crate::name::Name;
use crate::observe::event::{BulkheadEvent, DeadlineEvent};
use crate::observe::notifier::Notifier;
use crate::observe::source::{ObserverCache, Source};
use crate::rt::sync::{AtomicU64, Mutex, Ordering};
use crate::rt::time;

/// What all handles of one bulkhead share.
///
/// One atomic word, `permits`, says how many permits are held and how many callers wait. Permits are acquired and
/// released by single steps on it; only the holder of the queue's lock changes how many wait, so that the queue is as
/// long as the word says whenever the lock is free. Whoever releases a permit while others wait settles the word under
/// the lock; until then no one can take that permit, because there are waiters.
#[derive(Debug)]
pub(crate) struct Shared {
    permits: AtomicU64,
    rejections: AtomicU64,
    queue: Mutex<WaitQueue<Waker>>,
    settings: BulkheadSettings,
    name: Name,
    cache: ObserverCache,
}

#[derive(Clone, Debug, Default)]
pub(super) struct BulkheadSettings {
    pub(super) max_wait: Duration,
    /// 0 if no call ever waits.
    pub(super) max_queued: u32,
    /// Handed to rejected callers.
    pub(super) retry_after: RetryAfter,
    pub(super) notifier: Notifier,
    /// The keyed family that these bulkheads belong to.
    pub(super) family: Option<Arc<Name>>,
}

/// The answer to a caller that is willing to wait.
pub(super) enum QueueAnswer {
    Taken,
    /// In the queue, under this number.
    Queued(u64),
    Refused,
}

impl Shared {
    pub(super) fn new(name: Name, limit: u32, settings: BulkheadSettings) -> Shared {
        let shared = Shared {
            permits: AtomicU64::new(Permits::new(limit, settings.notifier.hears_calls()).bits()),
            rejections: AtomicU64::new(0),
            queue: Mutex::new(WaitQueue::new()),
            settings,
            name,
            cache: ObserverCache::default(),
        };
        shared.resized(0, limit);
        shared
    }

    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    fn about(&self) -> Source<'_> {
        Source::new(self.settings.family.as_deref(), &self.cache)
    }

    pub(super) fn max_wait(&self) -> Duration {
        self.settings.max_wait
    }

    pub(super) fn rejections(&self) -> u64 {
        self.rejections.load(Ordering::Relaxed)
    }

    /// Whether a call would get a permit now.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        Permits::from_bits(self.permits.load(Ordering::Acquire)).has_room()
    }

    /// All counts, as if permits on their way to waiters had already arrived.
    pub(super) fn counts(&self) -> Permits {
        Permits::from_bits(self.permits.load(Ordering::Acquire)).settled().0
    }

    /// Takes a free permit; otherwise returns the counts that prevented it.
    #[inline]
    pub(crate) fn try_acquire(&self) -> Result<(), Permits> {
        let mut seen = self.permits.load(Ordering::Acquire);
        loop {
            let permits = Permits::from_bits(seen);
            if !permits.is_quiet() {
                // While callers wait, no permit is free.
                return if permits.is_observed() { self.try_acquire_and_notify() } else { Err(permits) };
            }
            let Some(next) = permits.acquire_quietly() else { return Err(permits) };
            match self.permits.compare_exchange_weak(seen, next.bits(), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(()),
                Err(now) => seen = now,
            }
        }
    }

    /// Like [`Shared::try_acquire`], and reports it.
    #[cold]
    fn try_acquire_and_notify(&self) -> Result<(), Permits> {
        advance(&self.permits, |permits| permits.acquire().map(|next| (next, ())).ok_or(permits))?;
        self.moved(|name, source| BulkheadEvent::Acquired { name, source });
        Ok(())
    }

    /// Whether a caller that found no permit may wait for one.
    #[inline]
    pub(crate) fn may_wait(&self, permits: Permits) -> bool {
        let most = self.settings.max_queued;
        most > 0 && permits.left_queued() < most
    }

    /// Releases a permit. If callers wait, it goes to the first.
    #[inline]
    pub(crate) fn give_back(&self) {
        let before = Permits::from_bits(self.permits.fetch_sub(Permits::PERMIT, Ordering::AcqRel));
        if !before.is_quiet() {
            self.given_back(before);
        }
    }

    #[cold]
    fn given_back(&self, before: Permits) {
        let mut granted = 0;
        if before.queued() > 0 {
            let mut locked = self.lock();
            locked.settle();
            granted = locked.unlock();
        }
        self.moved(|name, source| BulkheadEvent::Released { name, source });
        self.granted(granted);
    }

    fn lock(&self) -> LockedQueue<'_> {
        LockedQueue::new(&self.permits, &self.queue)
    }

    /// Takes a free permit, or a place at the end of the queue.
    #[cold]
    pub(super) fn join(&self, waker: &Waker) -> QueueAnswer {
        // A waker is cloned and dropped outside the lock, because that may run any code.
        let waker = waker.clone();
        let mut locked = self.lock();
        let queued = locked.step(|permits| match permits.acquire() {
            Some(next) => Ok((next, false)),
            None if self.may_wait(permits) => Ok((permits.join(), true)),
            None => Err(()),
        });
        let number = (queued == Ok(true)).then(|| locked.queue().join(waker));
        self.granted(locked.unlock());
        match number {
            Some(number) => {
                self.moved(|name, source| BulkheadEvent::Queued { name, source });
                QueueAnswer::Queued(number)
            }
            None if queued.is_ok() => {
                self.moved(|name, source| BulkheadEvent::Acquired { name, source });
                QueueAnswer::Taken
            }
            None => QueueAnswer::Refused,
        }
    }

    /// Whether the waiter `number` has been granted its permit; if not, `waker` is woken once it is.
    pub(super) fn is_granted(&self, number: u64, waker: &Waker) -> bool {
        let waker = waker.clone();
        let mut locked = self.lock();
        locked.settle();
        let (granted, _dropped_outside) = match locked.queue().find(number) {
            None => (true, waker),
            Some(known) if known.will_wake(&waker) => (false, waker),
            Some(known) => (false, std::mem::replace(known, waker)),
        };
        self.granted(locked.unlock());
        granted
    }

    /// Leaves the queue; false if the permit was granted, even at the last moment.
    pub(super) fn leave(&self, number: u64) -> bool {
        let mut locked = self.lock();
        let dropped_outside = locked.leave(number);
        self.granted(locked.unlock());
        if dropped_outside.is_some() {
            self.moved(|name, source| BulkheadEvent::Left { name, source });
        }
        dropped_outside.is_some()
    }

    /// When a wait that starts now ends.
    pub(super) fn wait_ends(&self) -> Timestamp {
        time::now().after(self.settings.max_wait)
    }

    pub(super) fn set_limit(&self, limit: u32) {
        let mut locked = self.lock();
        let Ok(before) = locked.step(|permits| Ok::<_, Infallible>((permits.with_limit(limit), permits.limit())));
        locked.settle();
        let granted = locked.unlock();
        self.resized(before, limit);
        self.granted(granted);
    }

    /// The time set for rejected callers.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.settings.retry_after.get()
    }

    /// Makes a rejection, which has not been counted yet.
    #[inline(always)]
    pub(super) fn rejection(&self) -> Rejected {
        Rejected::BulkheadFull { name: self.name.clone(), retry_after: self.settings.retry_after }
    }

    /// Counts and reports a rejection; `waited` is the time spent in the queue.
    #[inline(always)]
    pub(super) fn rejected(&self, waited: Option<Duration>) {
        self.rejections.fetch_add(1, Ordering::Relaxed);
        if self.settings.notifier.hears_debug() {
            self.notify(waited);
        }
    }

    #[inline(never)]
    fn notify(&self, waited: Option<Duration>) {
        self.settings.notifier.notify(BulkheadEvent::Rejected { name: &self.name, source: self.about(), waited });
    }

    /// Reports that the current deadline of a call has passed, which is no rejection of the bulkhead's.
    #[cold]
    pub(super) fn deadline_exceeded(&self, stage: DeadlineStage) {
        let (name, source) = (Some(&self.name), self.about());
        self.settings.notifier.notify(DeadlineEvent::Exceeded { name, source, stage, late: context::late_by() });
    }

    /// Reports that this many waiters were granted a permit.
    fn granted(&self, callers: u32) {
        for _ in 0..callers {
            self.moved(|name, source| BulkheadEvent::Granted { name, source });
        }
    }

    /// For observers that want an event for every call.
    fn moved(&self, event: impl for<'a> FnOnce(&'a Name, Source<'a>) -> BulkheadEvent<'a>) {
        self.settings.notifier.notify_of_calls(|| event(&self.name, self.about()));
    }

    fn resized(&self, from: u32, to: u32) {
        if self.settings.notifier.hears_calls() && from != to {
            self.settings.notifier.notify(BulkheadEvent::Resized { name: &self.name, source: self.about(), from, to });
        }
    }
}

/// No call is running or waiting, because no handle is left.
impl Drop for Shared {
    fn drop(&mut self) {
        self.resized(self.counts().limit(), 0);
    }
}
