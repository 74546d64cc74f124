use std::convert::Infallible;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use super::locked::{Locked, advance};
use crate::audience::Audience;
use crate::machine::moment::Moment;
use crate::machine::queue::Queue;
use crate::machine::tally::Tally;
use crate::observe::{ObserverCache, Source};
use crate::sync::{AtomicU64, Mutex, Ordering};
use crate::{Event, Name, Place, Rejected, time};

/// What all handles of one bulkhead share.
///
/// The tally alone says how many hold a slot and how many wait. Slots are taken and given back by single steps of it;
/// how many wait is changed only by the holder of the queue's lock, so that the queue is as long as the tally says
/// whenever the lock is free. Who gives a slot back while somebody waits settles the tally under the lock; until then
/// nobody can take that slot, because somebody waits.
#[derive(Debug)]
pub(crate) struct Core {
    tally: AtomicU64,
    rejections: AtomicU64,
    queue: Mutex<Queue<Waker>>,
    settings: Settings,
    name: Name,
    cache: ObserverCache,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub(super) max_wait: Duration,
    /// 0 where nobody ever waits.
    pub(super) max_waiting: u32,
    /// What is told to who is rejected.
    pub(super) retry_after: Option<Duration>,
    pub(super) audience: Audience,
    /// Whose keys these bulkheads are of.
    pub(super) family: Option<Arc<Name>>,
}

/// The answer to a caller who is ready to wait.
pub(super) enum Join {
    Taken,
    /// Waits, under this number.
    Queued(u64),
    Refused,
}

impl Core {
    pub(super) fn new(name: Name, limit: u32, settings: Settings) -> Core {
        let core = Core {
            tally: AtomicU64::new(Tally::new(limit, settings.audience.wants_calls()).bits()),
            rejections: AtomicU64::new(0),
            queue: Mutex::new(Queue::new()),
            settings,
            name,
            cache: ObserverCache::default(),
        };
        core.resized(0, limit);
        core
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

    /// Whether a call would find a slot now.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        Tally::from_bits(self.tally.load(Ordering::Acquire)).has_room()
    }

    /// All counts, with a slot that is on its way to somebody who waits already there.
    pub(super) fn counts(&self) -> Tally {
        Tally::from_bits(self.tally.load(Ordering::Acquire)).settled().0
    }

    /// Takes a free slot; else tells what stood in the way.
    #[inline]
    pub(crate) fn try_take(&self) -> Result<(), Tally> {
        let mut seen = self.tally.load(Ordering::Acquire);
        loop {
            let tally = Tally::from_bits(seen);
            if !tally.is_quiet() {
                // While somebody waits, there is nothing to take.
                return if tally.is_told() { self.try_take_and_tell() } else { Err(tally) };
            }
            let Some(next) = tally.take_quietly() else { return Err(tally) };
            match self.tally.compare_exchange_weak(seen, next.bits(), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(()),
                Err(now) => seen = now,
            }
        }
    }

    /// As [`Core::try_take`], and tells of it.
    #[cold]
    fn try_take_and_tell(&self) -> Result<(), Tally> {
        advance(&self.tally, |tally| tally.take().map(|next| (next, ())).ok_or(tally))?;
        self.moved(Place::Outside, Place::Inside);
        Ok(())
    }

    /// Whether a caller who found no slot may wait for one.
    #[inline]
    pub(crate) fn may_wait(&self, tally: Tally) -> bool {
        let most = self.settings.max_waiting;
        most > 0 && tally.left_waiting() < most
    }

    /// Gives a slot back. If somebody waits, it is the first one's.
    #[inline]
    pub(crate) fn give_back(&self) {
        let before = Tally::from_bits(self.tally.fetch_sub(Tally::SLOT, Ordering::AcqRel));
        if !before.is_quiet() {
            self.given_back(before);
        }
    }

    #[cold]
    fn given_back(&self, before: Tally) {
        let mut granted = 0;
        if before.waiting() > 0 {
            let mut locked = self.lock();
            locked.settle();
            granted = locked.unlock();
        }
        self.moved(Place::Inside, Place::Outside);
        self.granted(granted);
    }

    fn lock(&self) -> Locked<'_> {
        Locked::new(&self.tally, &self.queue)
    }

    /// Takes a free slot, or a place at the end of the queue.
    #[cold]
    pub(super) fn join(&self, waker: &Waker) -> Join {
        // A waker is cloned and dropped outside of the lock: this may be anybody's code.
        let waker = waker.clone();
        let mut locked = self.lock();
        let queued = locked.step(|tally| match tally.take() {
            Some(next) => Ok((next, false)),
            None if self.may_wait(tally) => Ok((tally.join(), true)),
            None => Err(()),
        });
        let number = (queued == Ok(true)).then(|| locked.queue().join(waker));
        self.granted(locked.unlock());
        match number {
            Some(number) => {
                self.moved(Place::Outside, Place::Waiting);
                Join::Queued(number)
            }
            None if queued.is_ok() => {
                self.moved(Place::Outside, Place::Inside);
                Join::Taken
            }
            None => Join::Refused,
        }
    }

    /// Whether the slot was granted that is waited for under `number`; if not, `waker` is woken once it is.
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

    /// Leaves the queue; false if the slot was granted, even at the last moment.
    pub(super) fn leave(&self, number: u64) -> bool {
        let mut locked = self.lock();
        let dropped_outside = locked.leave(number);
        self.granted(locked.unlock());
        if dropped_outside.is_some() {
            self.moved(Place::Waiting, Place::Outside);
        }
        dropped_outside.is_some()
    }

    /// When a wait that begins now is over.
    pub(super) fn wait_ends(&self) -> Moment {
        time::now().after(self.settings.max_wait)
    }

    pub(super) fn set_limit(&self, limit: u32) {
        let mut locked = self.lock();
        let Ok(before) = locked.step(|tally| Ok::<_, Infallible>((tally.with_limit(limit), tally.limit())));
        locked.settle();
        let granted = locked.unlock();
        self.resized(before, limit);
        self.granted(granted);
    }

    /// What was set for whoever is rejected.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.settings.retry_after
    }

    /// Makes a rejection, which is still to be counted.
    #[inline]
    pub(super) fn rejection(&self) -> Rejected {
        Rejected::BulkheadFull { name: self.name.clone(), retry_after: self.settings.retry_after.into() }
    }

    /// Counts and tells a rejection; `waited` is the time that was spent in the queue.
    #[inline]
    pub(super) fn rejected(&self, waited: Option<Duration>) {
        self.rejections.fetch_add(1, Ordering::Relaxed);
        if self.settings.audience.hears_debug() {
            self.tell(waited);
        }
    }

    #[inline(never)]
    fn tell(&self, waited: Option<Duration>) {
        self.settings.audience.tell(&Event::BulkheadRejected { name: &self.name, source: self.about(), waited });
    }

    pub(crate) fn reject(&self, waited: Option<Duration>) -> Rejected {
        self.rejected(waited);
        self.rejection()
    }

    /// Free slots were given to so many who waited.
    fn granted(&self, callers: u32) {
        for _ in 0..callers {
            self.moved(Place::Waiting, Place::Inside);
        }
    }

    /// For those who want to be told of every call.
    fn moved(&self, from: Place, to: Place) {
        if self.settings.audience.wants_calls() {
            self.settings.audience.tell(&Event::BulkheadMoved { name: &self.name, source: self.about(), from, to });
        }
    }

    fn resized(&self, from: u32, to: u32) {
        if self.settings.audience.wants_calls() && from != to {
            self.settings.audience.tell(&Event::BulkheadResized { name: &self.name, source: self.about(), from, to });
        }
    }
}

/// Nobody is inside or waits, because nobody has a handle.
impl Drop for Core {
    fn drop(&mut self) {
        self.resized(self.counts().limit(), 0);
    }
}
