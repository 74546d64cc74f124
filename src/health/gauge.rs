use tokio::sync::Notify;

use crate::machine::phase::Phase;
use crate::sync::{AtomicU64, Ordering};

/// Somebody waits for the count to be zero, so whoever brings it there has to tell.
const AWAITED: u64 = 1 << 2;
/// One request in flight.
const ONE: u64 = 1 << 3;

/// The phase and the number of requests in flight, in one word: whoever has been counted while the service was serving
/// is waited for, and whoever comes after it was draining sees that.
#[derive(Debug)]
pub(super) struct Gauge {
    word: AtomicU64,
    empty: Notify,
}

impl Gauge {
    pub(super) fn new() -> Gauge {
        Gauge { word: AtomicU64::new(Phase::Starting.bits()), empty: Notify::new() }
    }

    pub(super) fn phase(&self) -> Phase {
        Phase::from_bits(self.word.load(Ordering::Acquire))
    }

    /// Moves on to `phase`; false if it is there or past it.
    pub(super) fn advance(&self, phase: Phase) -> bool {
        let forward = |word| (phase > Phase::from_bits(word)).then_some(word & !3 | phase.bits());
        self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, forward).is_ok()
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.word.load(Ordering::Acquire) / ONE
    }

    /// Counts one more, and tells the phase that it came in.
    pub(super) fn enter(&self) -> Phase {
        Phase::from_bits(self.word.fetch_add(ONE, Ordering::AcqRel))
    }

    pub(super) fn leave(&self) {
        let before = self.word.fetch_sub(ONE, Ordering::AcqRel);
        if before / ONE == 1 && before & AWAITED != 0 {
            self.empty.notify_waiters();
        }
    }

    /// Waits until nothing is in flight.
    pub(super) async fn empty(&self) {
        loop {
            let mut told = std::pin::pin!(self.empty.notified());
            told.as_mut().enable();
            if self.word.fetch_or(AWAITED, Ordering::AcqRel) / ONE == 0 {
                return;
            }
            told.await;
        }
    }
}
