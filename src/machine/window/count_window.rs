use crate::machine::window::{Outcome, Totals};

/// The last `size` verdicts: one bit per verdict for failures, and one for slow calls. A kind that has not occurred yet
/// takes no memory, so a circuit breaker that only sees quick successes has no ring at all.
#[derive(Debug)]
pub(crate) struct CountWindow {
    size: u64,
    seen: u64,
    failures: Ring,
    slow: Ring,
}

impl CountWindow {
    pub(super) fn new(size: u32) -> CountWindow {
        CountWindow { size: size.into(), seen: 0, failures: Ring::default(), slow: Ring::default() }
    }

    pub(super) fn is_full(&self) -> bool {
        self.seen >= self.size
    }

    pub(super) fn totals(&self) -> Totals {
        Totals { calls: self.seen.min(self.size), failures: self.failures.marks, slow: self.slow.marks }
    }

    pub(super) fn push_successes(&mut self, successes: u64) {
        let first = self.seen % self.size;
        for ring in [&mut self.failures, &mut self.slow] {
            if ring.marks > 0 {
                ring.overwrite(first, successes, self.size);
            }
        }
        self.seen += successes;
    }

    pub(super) fn push(&mut self, outcome: Outcome) {
        let position = self.seen % self.size;
        self.push_successes(1);
        if outcome.failed {
            self.failures.mark(position, self.size);
        }
        if outcome.slow {
            self.slow.mark(position, self.size);
        }
    }

    /// Clears everything and frees its memory.
    pub(super) fn clear(&mut self) {
        self.seen = 0;
        self.failures = Ring::default();
        self.slow = Ring::default();
    }
}

/// This many words are kept when the last mark has left: allocating so few again would cost more than keeping them.
const KEPT: usize = 16;

/// Which positions of a window are marked, as bits. Takes no memory while there are none.
#[derive(Debug, Default)]
struct Ring {
    words: Box<[u64]>,
    marks: u64,
}

impl Ring {
    fn mark(&mut self, position: u64, size: u64) {
        if self.words.is_empty() {
            self.words = vec![0; size.div_ceil(64) as usize].into();
        }
        if let Some(word) = self.words.get_mut((position / 64) as usize) {
            *word |= 1 << (position % 64);
            self.marks += 1;
        }
    }

    /// Removes the marks from the `count` positions starting at `first`; the last position of the window is followed by
    /// the first.
    fn overwrite(&mut self, first: u64, count: u64, size: u64) {
        let to_the_end = count.min(size - first);
        self.unmark(first, first + to_the_end);
        self.unmark(0, (count - to_the_end).min(first));
        if self.marks == 0 && self.words.len() > KEPT {
            self.words = Box::default();
        }
    }

    /// Removes the marks from `from..to`, a word at a time.
    fn unmark(&mut self, mut from: u64, to: u64) {
        while from < to && self.marks > 0 {
            let end = to.min((from / 64 + 1) * 64);
            let mask = u64::MAX >> (64 - (end - from)) << (from % 64);
            if let Some(word) = self.words.get_mut((from / 64) as usize) {
                self.marks -= u64::from((*word & mask).count_ones());
                *word &= !mask;
            }
            from = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    const SUCCESS: Outcome = Outcome { failed: false, slow: false };
    const FAILURE: Outcome = Outcome { failed: true, slow: false };
    const SLOW: Outcome = Outcome { failed: false, slow: true };
    const BOTH: Outcome = Outcome { failed: true, slow: true };

    impl CountWindow {
        /// The bytes its rings keep on the heap.
        fn heap(&self) -> usize {
            size_of_val(&*self.failures.words) + size_of_val(&*self.slow.words)
        }
    }

    #[test]
    fn bulk_equals_one_by_one() {
        for size in [1, 2, 7, 63, 64, 65, 128, 130] {
            for bulk in 0..2 * u64::from(size) + 3 {
                let mut one = CountWindow::new(size);
                let mut all = CountWindow::new(size);
                for window in [&mut one, &mut all] {
                    (0..size / 2).for_each(|_| window.push(SUCCESS));
                    [FAILURE, SLOW, BOTH, FAILURE].into_iter().for_each(|outcome| window.push(outcome));
                }
                (0..bulk).for_each(|_| one.push(SUCCESS));
                all.push_successes(bulk);
                assert_eq!(one.totals(), all.totals(), "{size} {bulk}");
            }
        }
    }

    /// CB-03, SO-06: it agrees with a list of the last verdicts, after any mixture of verdicts and bulks of successes.
    #[test]
    fn equals_a_list() {
        // Any sequence with a long enough period will do.
        let mut random = 1_u64;
        let mut next = move || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            random >> 33
        };
        for size in [1, 3, 31, 64, 100, 1_000, 2_049] {
            let (mut window, mut list) = (CountWindow::new(size), VecDeque::new());
            for _ in 0..3_000 {
                let (outcomes, bulk) = match next() % 8 {
                    0 | 1 => (vec![FAILURE], 0),
                    2 => (vec![SLOW; 1 + (next() % 3) as usize], 0),
                    3 => (vec![BOTH, SUCCESS], 0),
                    4 => (vec![], next() % (2 * u64::from(size) + 2)),
                    _ => (vec![], next() % 9),
                };
                outcomes.iter().for_each(|outcome| window.push(*outcome));
                window.push_successes(bulk);
                list.extend(outcomes);
                list.extend(std::iter::repeat_n(SUCCESS, bulk as usize));
                list.drain(..list.len().saturating_sub(size as usize));
                let count = |of: fn(&Outcome) -> bool| list.iter().filter(|outcome| of(outcome)).count() as u64;
                let (failures, slow) = (count(|outcome| outcome.failed), count(|outcome| outcome.slow));
                assert_eq!(window.totals(), Totals { calls: list.len() as u64, failures, slow }, "{size}");
            }
        }
    }

    /// SO-06: a window of a million calls takes one bit per call, whatever the verdicts, and a second one only if calls
    /// were slow.
    #[test]
    fn so_06_memory_is_the_size_in_bits() {
        let mut window = CountWindow::new(1_000_000);
        window.push_successes(3_000_000);
        assert_eq!(window.heap(), 0);
        (0..2_500_000).for_each(|_| window.push(FAILURE));
        assert_eq!((window.totals().failures, window.heap()), (1_000_000, 125_000));
        window.push(BOTH);
        assert_eq!(window.heap(), 250_000);
    }

    /// SO-06: memory is freed when the window is cleared, and when only quick successes are left in it.
    #[test]
    fn so_06_memory_is_given_back() {
        let mut window = CountWindow::new(1_000_000);
        window.push(BOTH);
        window.clear();
        assert_eq!((window.heap(), window.totals()), (0, Totals::default()));
        window.push(BOTH);
        window.push_successes(999_999);
        assert_eq!((window.heap(), window.totals().failures), (250_000, 1));
        window.push_successes(1);
        assert_eq!((window.heap(), window.totals().failures), (0, 0));
    }
}
