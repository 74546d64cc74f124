/// The highest number of slots, and of callers that wait for one.
pub(crate) const MOST: u32 = 1_000_000;

/// How many slots a bulkhead has, how many of them are in use and how many callers wait for one, in 64 bits, so that all
/// of it is read and changed in one step.
///
/// A slot that becomes free while somebody waits is theirs from that moment on: nobody else may take it, and
/// [`settled`](Tally::settled) hands it over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally(u64);

// From the lowest bit: 20 bits in use, 20 bits limit, 24 bits waiting.
const LIMIT: u32 = 20;
const WAITING: u32 = 40;
const COUNT: u64 = (1 << 20) - 1;

impl Tally {
    /// Subtracted, it gives a slot back.
    pub(crate) const SLOT: u64 = 1;
    const WAITER: u64 = 1 << WAITING;

    pub(crate) fn new(limit: u32) -> Tally {
        Tally::of(0, limit, 0)
    }

    fn of(in_use: u32, limit: u32, waiting: u32) -> Tally {
        debug_assert!(in_use <= MOST && (1..=MOST).contains(&limit) && waiting <= MOST);
        Tally(u64::from(waiting) << WAITING | u64::from(limit) << LIMIT | u64::from(in_use))
    }

    pub(crate) const fn from_bits(bits: u64) -> Tally {
        Tally(bits)
    }

    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    pub(crate) const fn in_use(self) -> u32 {
        (self.0 & COUNT) as u32
    }

    pub(crate) const fn limit(self) -> u32 {
        (self.0 >> LIMIT & COUNT) as u32
    }

    pub(crate) const fn waiting(self) -> u32 {
        (self.0 >> WAITING) as u32
    }

    pub(crate) const fn available(self) -> u32 {
        self.limit().saturating_sub(self.in_use())
    }

    /// Whether somebody who comes now finds a slot.
    pub(crate) const fn has_room(self) -> bool {
        self.waiting() == 0 && self.in_use() < self.limit()
    }

    /// One more slot in use, if there is room.
    pub(crate) fn take(self) -> Option<Tally> {
        self.has_room().then(|| Tally(self.0 + Tally::SLOT))
    }

    /// One more waits.
    pub(crate) fn join(self) -> Tally {
        debug_assert!(!self.has_room(), "a slot is free");
        Tally(self.0 + Tally::WAITER)
    }

    /// One less waits.
    pub(crate) fn leave(self) -> Tally {
        debug_assert!(self.waiting() > 0, "nobody waits");
        Tally(self.0 - Tally::WAITER)
    }

    pub(crate) fn with_limit(self, limit: u32) -> Tally {
        Tally::of(self.in_use(), limit, self.waiting())
    }

    /// With every free slot in the hands of somebody who waits, as far as they go, and how many these are.
    pub(crate) fn settled(self) -> (Tally, u32) {
        let granted = self.limit().saturating_sub(self.in_use()).min(self.waiting());
        (Tally::of(self.in_use() + granted, self.limit(), self.waiting() - granted), granted)
    }
}

impl std::fmt::Debug for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} in use, {} waiting", self.in_use(), self.limit(), self.waiting())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(tally: Tally) -> (u32, u32, u32) {
        (tally.in_use(), tally.limit(), tally.waiting())
    }

    #[test]
    fn every_count_holds_its_highest_value() {
        let all = Tally::of(MOST, MOST, MOST);
        assert_eq!(counts(all), (MOST, MOST, MOST));
        assert_eq!(counts(Tally(all.0 - Tally::SLOT)), (MOST - 1, MOST, MOST));
        assert_eq!(counts(all.leave()), (MOST, MOST, MOST - 1));
        assert_eq!(counts(all.with_limit(1)), (MOST, 1, MOST));
        assert_eq!(counts(all.join()), (MOST, MOST, MOST + 1));
        assert_eq!(counts(Tally::new(MOST)), (0, MOST, 0));
    }

    #[test]
    fn takes_up_to_the_limit_and_overtakes_nobody() {
        let one = Tally::new(1).take().expect("free");
        assert_eq!((counts(one), one.available()), ((1, 1, 0), 0));
        assert_eq!(one.take(), None);
        assert_eq!(one.with_limit(2).take(), Some(Tally::of(2, 2, 0)));
        assert_eq!(Tally::of(0, 2, 1).take(), None);
    }

    #[test]
    fn free_slots_go_to_those_who_wait() {
        assert_eq!(Tally::of(1, 2, 1).settled(), (Tally::of(2, 2, 0), 1));
        assert_eq!(Tally::of(2, 4, 3).settled(), (Tally::of(4, 4, 1), 2));
        assert_eq!(Tally::of(2, 9, 3).settled(), (Tally::of(5, 9, 0), 3));
        for nothing_to_do in [Tally::of(2, 2, 3), Tally::of(3, 2, 3), Tally::of(1, 2, 0)] {
            assert_eq!(nothing_to_do.settled(), (nothing_to_do, 0));
        }
    }
}
