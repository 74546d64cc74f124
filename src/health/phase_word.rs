use crate::machine::lifecycle::phase::Phase;
use crate::rt::sync::{AtomicU64, Ordering};
use crate::rt::waker_set::WakerSet;

const PHASE: u64 = 0b11;
/// Something waits for the count to reach zero, so the decrement that gets there has to wake it.
const AWAITED: u64 = 1 << 2;
/// There are required checks to ask.
const CHECKED: u64 = 1 << 3;
/// Startup has begun.
const BEGUN: u64 = 1 << 4;
/// One request in flight.
const ONE: u64 = 1 << 5;

/// The phase and the number of requests in flight, in one word: a request that was counted in an earlier phase is
/// waited for, and a request that comes after a change of phase sees the change.
#[derive(Debug)]
pub(super) struct PhaseWord {
    word: AtomicU64,
    empty: WakerSet,
}

impl PhaseWord {
    pub(super) fn new() -> PhaseWord {
        PhaseWord { word: AtomicU64::new(Phase::Starting.bits()), empty: WakerSet::default() }
    }

    /// The phase, and whether there are required checks.
    #[inline]
    pub(super) fn look(&self) -> (Phase, bool) {
        let word = self.word.load(Ordering::Acquire);
        (Phase::from_bits(word), word & CHECKED != 0)
    }

    pub(super) fn phase(&self) -> Phase {
        self.look().0
    }

    /// Notes that startup has begun; false if it already had.
    pub(super) fn begin(&self) -> bool {
        let first = |word| (word & BEGUN == 0 && Phase::from_bits(word) == Phase::Starting).then_some(word | BEGUN);
        self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, first).is_ok()
    }

    /// Whether startup has begun, or is over.
    pub(super) fn has_begun(&self) -> bool {
        let word = self.word.load(Ordering::Acquire);
        word & BEGUN != 0 || Phase::from_bits(word) != Phase::Starting
    }

    /// Moves to `phase` and returns the phase it left; none if it is already there or past it.
    pub(super) fn advance(&self, phase: Phase) -> Option<Phase> {
        let forward = |word| (phase > Phase::from_bits(word)).then_some(word & !PHASE | phase.bits());
        let before = self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, forward);
        before.ok().map(Phase::from_bits)
    }

    /// Notes whether there are required checks.
    pub(super) fn set_checked(&self, checked: bool) {
        let note = |word| Some(if checked { word | CHECKED } else { word & !CHECKED });
        let _always_ok = self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, note);
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.word.load(Ordering::Acquire) / ONE
    }

    /// Counts one more if the service takes requests: while it is serving, and after that up to and including the phase
    /// `last`. A request that is turned away is never counted, not even for a moment: a runner that reads the count
    /// just then would report it as a request that was cut off.
    #[inline]
    pub(super) fn enter(&self, last: Phase) -> Result<(), Phase> {
        let more = |word| Phase::from_bits(word).takes_requests(last).then_some(word + ONE);
        match self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, more) {
            Ok(_) => Ok(()),
            Err(word) => Err(Phase::from_bits(word)),
        }
    }

    #[inline]
    pub(super) fn leave(&self) {
        let before = self.word.fetch_sub(ONE, Ordering::AcqRel);
        if before / ONE == 1 && before & AWAITED != 0 {
            self.empty.wake_all();
        }
    }

    /// Waits until nothing is in flight.
    pub(super) async fn empty(&self) {
        self.empty.wait_until(|| self.word.fetch_or(AWAITED, Ordering::AcqRel) / ONE == 0).await;
    }
}
