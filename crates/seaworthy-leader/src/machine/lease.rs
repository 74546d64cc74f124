//! The row of a name, as every store keeps it. Moments are those of the row clock.

use std::time::Duration;

/// One name's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LeaseRow {
    pub(crate) epoch: u64,
    pub(crate) term: u128,
    pub(crate) holder: Box<str>,
    pub(crate) hint: Option<Box<str>>,
    /// The lease is live before this.
    pub(crate) over_at: Duration,
}

impl LeaseRow {
    pub(crate) fn is_live(&self, now: Duration) -> bool {
        now < self.over_at
    }

    /// Whether a bid of this term may have it.
    pub(crate) fn is_free_for(&self, term: u128, now: Duration) -> bool {
        !self.is_live(now) || self.term == term
    }

    /// The next epoch.
    pub(crate) fn grant(&mut self, term: u128, seen: u64, over_at: Duration) -> u64 {
        self.epoch = self.epoch.max(seen).saturating_add(1);
        self.term = term;
        self.over_at = over_at;
        self.epoch
    }

    /// Whether it was renewed.
    pub(crate) fn renew(&mut self, epoch: u64, term: u128, now: Duration, over_at: Duration) -> bool {
        let is_held = self.term == term && self.epoch == epoch && self.is_live(now);
        if is_held {
            self.over_at = over_at;
        }
        is_held
    }

    pub(crate) fn release(&mut self, term: u128, now: Duration) {
        if self.term == term {
            self.end(now);
        }
    }

    /// Nobody has it from now on.
    pub(crate) fn end(&mut self, now: Duration) {
        self.over_at = self.over_at.min(now);
        self.term = 0;
        self.holder = Box::default();
        self.hint = None;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// LE-16: a row clock that steps forward by d makes leases over d early for the others; one that steps backward by
    /// d keeps everybody waiting for d longer. Nothing else goes wrong: one has it at a time, and epochs grow.
    #[test]
    fn clock_steps() {
        let seconds = Duration::from_secs;
        let mut row = LeaseRow::default();
        let first = row.grant(1, 0, seconds(100 + 15));
        // 5 s forward, 10 s after the grant.
        assert!(!row.is_free_for(2, seconds(110)) && row.is_free_for(2, seconds(115)));
        let second = row.grant(2, 0, seconds(115 + 15));
        assert!(second > first && !row.renew(first, 1, seconds(115), seconds(130)));
        // A minute backward; the holder renews.
        let back = seconds(115 - 60);
        assert!(!row.is_free_for(3, back) && row.renew(second, 2, back, back + seconds(15)));
        assert!(row.is_free_for(3, back + seconds(15)));
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Acquire { who: usize, seen: u64 },
        Renew { who: usize },
        Release { who: usize },
        Pass { seconds: u64 },
        GoBack,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..3usize, 0..4u64).prop_map(|(who, seen)| Step::Acquire { who, seen }),
            3 => (0..3usize).prop_map(|who| Step::Renew { who }),
            1 => (0..3usize).prop_map(|who| Step::Release { who }),
            3 => (1..9u64).prop_map(|seconds| Step::Pass { seconds }),
            1 => Just(Step::GoBack),
        ]
    }

    proptest! {
        /// LE-03: whatever happens, two candidates never have a live lease, and epochs only grow for those who remember
        /// what they have seen, also when the row goes back. LE-07 is why.
        #[test]
        fn as_the_model_says(steps in proptest::collection::vec(step(), 1..60)) {
            let ttl = Duration::from_secs(10);
            let mut row = LeaseRow::default();
            let mut now = Duration::from_secs(1);
            let mut next_term = 1;
            // By candidate: term, epoch, and the end of its lease as it must be.
            let mut held: [Option<(u128, u64, Duration)>; 3] = [None; 3];
            let mut newest = 0;
            for step in steps {
                match step {
                    Step::Acquire { who, seen } => {
                        let is_free = held.iter().flatten().all(|(_, _, end)| *end <= now);
                        let term = next_term;
                        next_term += 1;
                        prop_assert_eq!(row.is_free_for(term, now), is_free);
                        if is_free {
                            // All have seen the newest epoch, and one may have been told of a greater one.
                            let epoch = row.grant(term, newest + seen, now + ttl);
                            prop_assert!(epoch > newest + seen);
                            newest = epoch;
                            held = [None; 3];
                            held[who] = Some((term, epoch, now + ttl));
                        }
                    }
                    Step::Renew { who } => {
                        if let Some((term, epoch, end)) = &mut held[who] {
                            let is_live = *end > now;
                            prop_assert_eq!(row.renew(*epoch, *term, now, now + ttl), is_live);
                            prop_assert!(!row.renew(*epoch + 1, *term, now, now + 2 * ttl));
                            prop_assert!(!row.renew(*epoch, *term + 1_000, now, now + 2 * ttl));
                            if is_live {
                                *end = now + ttl;
                            }
                        }
                    }
                    Step::Release { who } => {
                        if let Some((term, ..)) = held[who].take() {
                            row.release(term, now);
                            prop_assert!(!row.is_live(now));
                        }
                        row.release(u128::MAX, now);
                    }
                    Step::Pass { seconds } => now += Duration::from_secs(seconds),
                    Step::GoBack => {
                        row = LeaseRow::default();
                        held = [None; 3];
                    }
                }
                prop_assert_eq!(row.is_live(now), held.iter().flatten().any(|(_, _, end)| *end > now));
            }
        }
    }
}
