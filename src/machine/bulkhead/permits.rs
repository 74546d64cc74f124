/// The highest number of permits, and of callers waiting for one.
pub(crate) const MOST: u32 = 1_000_000;

/// How many permits a bulkhead has, how many of them are in use, and how many callers wait for one, packed into 64 bits
/// so that all of it is read and changed in one step.
///
/// A permit that becomes free while callers wait belongs to one of them from that moment on: no other caller may take
/// it, and [`settled`](Permits::settled) hands it over.
///
/// One bit says that an observer wants every step reported. It is next to the number of waiters, so that one comparison
/// tells whether the counts are [quiet](Permits::is_quiet): nearly always they are, and then the step itself is all
/// there is to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Permits(u64);

// From the lowest bit: 20 bits in use, 20 bits limit, 1 bit observed, 23 bits queued.
const LIMIT: u32 = 20;
const OBSERVED: u32 = 40;
const QUEUED: u32 = 41;
const COUNT: u64 = (1 << 20) - 1;

impl Permits {
    /// Subtracting it releases a permit.
    pub(crate) const PERMIT: u64 = 1;
    const WAITER: u64 = 1 << QUEUED;

    /// `observed` if an observer wants every step reported; that does not change.
    pub(crate) fn new(limit: u32, observed: bool) -> Permits {
        Permits(Permits::of(0, limit, 0).0 | u64::from(observed) << OBSERVED)
    }

    fn of(in_use: u32, limit: u32, queued: u32) -> Permits {
        debug_assert!(in_use <= MOST && (1..=MOST).contains(&limit) && queued <= MOST);
        Permits(u64::from(queued) << QUEUED | u64::from(limit) << LIMIT | u64::from(in_use))
    }

    pub(crate) const fn from_bits(bits: u64) -> Permits {
        Permits(bits)
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

    pub(crate) const fn queued(self) -> u32 {
        (self.0 >> QUEUED) as u32
    }

    /// Whether an observer wants every step reported.
    pub(crate) const fn is_observed(self) -> bool {
        self.0 >> OBSERVED & 1 != 0
    }

    /// Whether there are no waiters and no step has to be reported.
    pub(crate) const fn is_quiet(self) -> bool {
        self.0 >> OBSERVED == 0
    }

    pub(crate) const fn available(self) -> u32 {
        self.limit().saturating_sub(self.in_use())
    }

    /// Whether a caller that arrives now finds a permit.
    pub(crate) const fn has_room(self) -> bool {
        self.queued() == 0 && self.in_use() < self.limit()
    }

    /// One more permit in use, if there is room.
    pub(crate) fn acquire(self) -> Option<Permits> {
        self.has_room().then(|| Permits(self.0 + Permits::PERMIT))
    }

    /// Like [`Permits::acquire`], where it is known that no caller waits.
    pub(crate) fn acquire_quietly(self) -> Option<Permits> {
        debug_assert!(self.is_quiet(), "callers wait, or steps must be reported");
        (self.in_use() < self.limit()).then(|| Permits(self.0 + Permits::PERMIT))
    }

    /// One more waiter.
    pub(crate) fn join(self) -> Permits {
        debug_assert!(!self.has_room(), "a permit is free");
        Permits(self.0 + Permits::WAITER)
    }

    /// One waiter fewer.
    pub(crate) fn leave(self) -> Permits {
        debug_assert!(self.queued() > 0, "no caller waits");
        Permits(self.0 - Permits::WAITER)
    }

    pub(crate) fn with_limit(self, limit: u32) -> Permits {
        self.like(Permits::of(self.in_use(), limit, self.queued()))
    }

    /// Other counts, with everything else unchanged.
    fn like(self, counts: Permits) -> Permits {
        Permits(counts.0 | self.0 & 1 << OBSERVED)
    }

    /// How many callers still wait once every free permit has been handed to a waiter.
    pub(crate) fn left_queued(self) -> u32 {
        self.queued() - self.granted()
    }

    fn granted(self) -> u32 {
        self.limit().saturating_sub(self.in_use()).min(self.queued())
    }

    /// Hands every free permit to a waiter, as far as there are any, and says how many were handed over.
    pub(crate) fn settled(self) -> (Permits, u32) {
        let granted = self.granted();
        (self.like(Permits::of(self.in_use() + granted, self.limit(), self.queued() - granted)), granted)
    }
}

impl std::fmt::Debug for Permits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} in use, {} waiting", self.in_use(), self.limit(), self.queued())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(permits: Permits) -> (u32, u32, u32) {
        (permits.in_use(), permits.limit(), permits.queued())
    }

    #[test]
    fn every_count_holds_its_highest_value() {
        let all = Permits::of(MOST, MOST, MOST);
        assert_eq!(counts(all), (MOST, MOST, MOST));
        assert_eq!(counts(Permits(all.0 - Permits::PERMIT)), (MOST - 1, MOST, MOST));
        assert_eq!(counts(all.leave()), (MOST, MOST, MOST - 1));
        assert_eq!(counts(all.with_limit(1)), (MOST, 1, MOST));
        assert_eq!(counts(all.join()), (MOST, MOST, MOST + 1));
        for observed in [false, true] {
            let none = Permits::new(MOST, observed);
            assert_eq!((counts(none), none.is_observed(), none.is_quiet()), ((0, MOST, 0), observed, !observed));
            let one = none.acquire().expect("free").with_limit(1).join();
            assert_eq!((counts(one), one.is_observed(), one.is_quiet()), ((1, 1, 1), observed, false));
            let (settled, granted) = one.with_limit(2).settled();
            assert_eq!((counts(settled), settled.is_observed(), granted), ((2, 2, 0), observed, 1));
        }
    }

    #[test]
    fn takes_up_to_the_limit_and_overtakes_nobody() {
        let one = Permits::new(1, false).acquire().expect("free");
        assert_eq!((counts(one), one.available()), ((1, 1, 0), 0));
        assert_eq!(one.acquire(), None);
        assert_eq!(one.with_limit(2).acquire(), Some(Permits::of(2, 2, 0)));
        assert_eq!(Permits::of(0, 2, 1).acquire(), None);
    }

    #[test]
    fn free_slots_go_to_those_who_wait() {
        assert_eq!(Permits::of(1, 2, 1).settled(), (Permits::of(2, 2, 0), 1));
        assert_eq!(Permits::of(2, 4, 3).settled(), (Permits::of(4, 4, 1), 2));
        assert_eq!(Permits::of(2, 9, 3).settled(), (Permits::of(5, 9, 0), 3));
        for nothing_to_do in [Permits::of(2, 2, 3), Permits::of(3, 2, 3), Permits::of(1, 2, 0)] {
            assert_eq!(nothing_to_do.settled(), (nothing_to_do, 0));
        }
    }
}
