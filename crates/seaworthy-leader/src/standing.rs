use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use seaworthy::Shutdown;
use seaworthy_store::time::{Instant, now};

use crate::epoch::Epoch;
use crate::packed::pack;

/// Whether this process leads a name now, over as many terms as there are. It is asked on every request.
#[derive(Debug)]
pub(crate) struct Standing {
    start: Instant,
    /// Packed, after `start`. It never goes back, because terms of one process follow one another.
    deadline: AtomicU64,
    /// 0 while it does not lead, which no term has.
    epoch: AtomicU64,
    ended: Mutex<Option<(Epoch, Shutdown)>>,
}

impl Standing {
    pub(crate) fn new() -> Standing {
        Standing { start: now(), deadline: AtomicU64::new(0), epoch: AtomicU64::new(0), ended: Mutex::new(None) }
    }

    fn packed(&self, moment: Instant) -> u64 {
        pack(moment.saturating_duration_since(self.start))
    }

    fn ended(&self) -> MutexGuard<'_, Option<(Epoch, Shutdown)>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn lead(&self, epoch: Epoch, deadline: Instant, ended: Shutdown) {
        *self.ended() = Some((epoch, ended));
        self.deadline.store(self.packed(deadline), Ordering::Release);
        self.epoch.store(epoch.get(), Ordering::Release);
    }

    pub(crate) fn renewed(&self, deadline: Instant) {
        self.deadline.store(self.packed(deadline), Ordering::Release);
    }

    /// Unless another term has come meanwhile.
    pub(crate) fn leave(&self, epoch: Epoch) {
        let _another = self.epoch.compare_exchange(epoch.get(), 0, Ordering::AcqRel, Ordering::Acquire);
        self.ended().take_if(|(of, _)| *of == epoch);
    }

    #[inline]
    pub(crate) fn has_term(&self) -> bool {
        self.epoch.load(Ordering::Acquire) != 0
    }

    /// The epoch, if it leads. The deadline is read first: an epoch that is read after it is of that term or of a later
    /// one, whose deadline is later, too.
    #[inline]
    pub(crate) fn epoch(&self) -> Option<Epoch> {
        let deadline = self.deadline.load(Ordering::Acquire);
        let epoch = self.epoch.load(Ordering::Acquire);
        (epoch != 0 && self.packed(now()) < deadline).then(|| Epoch::new(epoch))
    }

    /// The epoch, and what ends with its term.
    pub(crate) fn epoch_and_end(&self) -> Option<(Epoch, Shutdown)> {
        let epoch = self.epoch()?;
        let ended = self.ended();
        ended.as_ref().filter(|(of, _)| *of == epoch).cloned()
    }
}
