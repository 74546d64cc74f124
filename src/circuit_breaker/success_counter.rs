use crate::machine::timestamp::Timestamp;
use crate::rt::sync::{AtomicU64, Ordering};
use crate::rt::time;

/// Counts quick successes without a lock, while the machine says that they can change nothing else.
///
/// `gathered` holds an epoch and a count. Whoever holds the machine's lock closes the bulk first and takes what was
/// gathered, and opens it again, with a new epoch, as its last step. So an exchange that finds the word as it was read
/// proves that no step of the machine began in between: whatever was read of the circuit after `gathered` still holds.
///
/// It has a cache line of its own: every call writes it, and the word beside it is read by every call.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct SuccessCounter {
    gathered: AtomicU64,
    ends: AtomicU64,
    /// At so many successes the machine wants to hear of them.
    room: u64,
    /// Whether the bulk ends at a time.
    timed: bool,
}

const COUNT: u64 = u32::MAX as u64;
/// In place of a count: nobody may add.
const CLOSED: u64 = COUNT;

impl SuccessCounter {
    /// For a count window of `size` calls, or without one for a time window. It begins closed.
    pub(super) fn new(size: Option<u32>) -> SuccessCounter {
        SuccessCounter {
            gathered: AtomicU64::new(CLOSED),
            ends: AtomicU64::new(0),
            room: size.map_or(CLOSED, u64::from),
            timed: size.is_none(),
        }
    }

    /// Adds one success, unless the machine has to be asked. `still_holds` checks what the caller knows of the circuit;
    /// the clock is read into `now` if it is needed.
    pub(super) fn add(&self, now: &mut Option<Timestamp>, still_holds: impl Fn() -> bool) -> bool {
        loop {
            let seen = self.gathered.load(Ordering::Acquire);
            // Closed is the highest count there is, so that there is no room then either.
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

    /// Closes the bulk and takes what it gathered. Only for the holder of the machine's lock.
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

    /// Opens the bulk again. Only for the holder of the machine's lock, after the circuit's word is visible.
    pub(super) fn open(&self, ends: Timestamp) {
        self.ends.store(ends.as_nanos(), Ordering::Release);
        // Nobody else writes while it is closed.
        let epoch = (self.gathered.load(Ordering::Relaxed) >> 32).wrapping_add(1);
        self.gathered.store(epoch << 32, Ordering::Release);
    }
}
