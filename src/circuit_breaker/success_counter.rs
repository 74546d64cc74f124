use crate::machine::timestamp::Timestamp;
use crate::rt::sync::{AtomicU64, Ordering};
use crate::rt::time;

/// Counts quick successes without a lock, for as long as the machine says that they can change nothing else.
///
/// `gathered` holds an epoch and a count. Whoever holds the machine's lock first closes the counter and takes what it
/// gathered, and as the last step opens it again with a new epoch. So a compare-exchange that finds the value as it was
/// read proves that no step of the machine began in between: whatever was read of the circuit breaker after `gathered`
/// still holds.
///
/// It has a cache line to itself: every call writes to it, and every call reads the word beside it.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct SuccessCounter {
    gathered: AtomicU64,
    ends: AtomicU64,
    /// At this many successes the machine must be told.
    room: u64,
    /// Whether counting ends at a point in time.
    timed: bool,
}

const COUNT: u64 = u32::MAX as u64;
/// Instead of a count: no one may add.
const CLOSED: u64 = COUNT;

impl SuccessCounter {
    /// For a count window of `size` calls, or for a time window without one. Starts closed.
    pub(super) fn new(size: Option<u32>) -> SuccessCounter {
        SuccessCounter {
            gathered: AtomicU64::new(CLOSED),
            ends: AtomicU64::new(0),
            room: size.map_or(CLOSED, u64::from),
            timed: size.is_none(),
        }
    }

    /// Adds one success, unless the machine has to be asked. `still_holds` checks what the caller knows of the circuit
    /// breaker; the clock is read into `now` only if needed.
    pub(super) fn add(&self, now: &mut Option<Timestamp>, still_holds: impl Fn() -> bool) -> bool {
        loop {
            let seen = self.gathered.load(Ordering::Acquire);
            // Closed is the highest possible count, so there is no room then either.
            if (seen & COUNT) + 1 >= self.room || !still_holds() {
                return false;
            }
            if self.timed {
                let now = *now.get_or_insert_with(time::now);
                if now.as_nanos() >= self.ends.load(Ordering::Acquire) {
                    return false;
                }
            }
            if self.gathered.compare_exchange_weak(seen, seen + 1, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                return true;
            }
        }
    }

    /// Closes the counter and takes what it gathered. Only for the holder of the machine's lock.
    pub(super) fn close(&self) -> u64 {
        let mut seen = self.gathered.load(Ordering::Acquire);
        loop {
            let closed = seen & !COUNT | CLOSED;
            match self.gathered.compare_exchange_weak(seen, closed, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) if seen & COUNT == CLOSED => return 0,
                Ok(_) => return seen & COUNT,
                Err(now) => seen = now,
            }
        }
    }

    /// Opens the counter again. Only for the holder of the machine's lock, after the new word has been published.
    pub(super) fn open(&self, ends: Timestamp) {
        self.ends.store(ends.as_nanos(), Ordering::Release);
        // No one else writes while it is closed.
        let epoch = (self.gathered.load(Ordering::Relaxed) >> 32).wrapping_add(1);
        self.gathered.store(epoch << 32, Ordering::Release);
    }
}
