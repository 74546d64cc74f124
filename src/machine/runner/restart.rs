use std::time::Duration;

use crate::machine::Rng;
use crate::machine::retry::backoff::Backoff;

/// The shortest wait, whatever the jitter: a task that fails at once must not become a busy loop.
const LEAST: Duration = Duration::from_millis(1);

/// When a task that keeps failing is started again.
#[derive(Clone, Debug)]
pub(crate) struct Restarts {
    backoff: Backoff,
    /// A task that has run for this long was healthy, and starts over.
    reset_after: Duration,
    /// The most restarts in a row.
    most: Option<u32>,
    in_a_row: u32,
}

impl Restarts {
    pub(crate) fn new(backoff: Backoff, reset_after: Duration, most: Option<u32>) -> Restarts {
        Restarts { backoff, reset_after, most, in_a_row: 0 }
    }

    /// It failed after running for `ran_for`. Returns the wait before its next start, or `None` if it gets no more.
    pub(crate) fn failed(&mut self, ran_for: Duration, rng: Rng<'_>) -> Option<Duration> {
        if ran_for >= self.reset_after {
            self.in_a_row = 0;
        }
        if self.most == Some(self.in_a_row) {
            return None;
        }
        let delay = self.backoff.delay(self.in_a_row, rng).max(LEAST);
        self.in_a_row = self.in_a_row.saturating_add(1);
        Some(delay)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::machine::retry::backoff::Jitter;

    const SECOND: Duration = Duration::from_secs(1);

    fn backoff() -> Backoff {
        Backoff::exponential(SECOND, 10 * SECOND).jitter(Jitter::None)
    }

    /// RN-10: the wait grows up to the cap, and starts over after a stable run. A run that is a nanosecond short of
    /// stable does not count.
    #[test]
    fn grows_and_begins_anew() {
        let mut restarts = Restarts::new(backoff(), 60 * SECOND, None);
        let mut after = |ran_for| restarts.failed(ran_for, &mut || panic!("no jitter")).map(|delay| delay.as_secs());
        let short = 60 * SECOND - Duration::from_nanos(1);
        assert_eq!([(); 6].map(|()| after(short)), [1, 2, 4, 8, 10, 10].map(Some));
        assert_eq!([60 * SECOND, short, Duration::MAX, short].map(&mut after), [1, 2, 1, 2].map(Some));
    }

    /// RN-10: this many restarts in a row and no more; a stable run starts the count over.
    #[test]
    fn gives_up() {
        let mut restarts = Restarts::new(backoff(), 60 * SECOND, Some(2));
        let mut after = |ran_for| restarts.failed(ran_for, &mut || 0.0).is_some();
        assert_eq!([(); 4].map(|()| after(SECOND)), [true, true, false, false]);
        assert_eq!([60 * SECOND, SECOND, SECOND].map(&mut after), [true, true, false]);
    }

    /// RN-10: never a busy loop, whatever the random numbers and however often it failed.
    #[test]
    fn always_rests() {
        let mut restarts = Restarts::new(Backoff::exponential(SECOND, SECOND), 60 * SECOND, None);
        assert_eq!(restarts.failed(SECOND, &mut || 0.0), Some(LEAST));
        restarts.in_a_row = u32::MAX;
        assert_eq!(restarts.failed(SECOND, &mut || 0.0), Some(LEAST));
        assert_eq!(restarts.in_a_row, u32::MAX);
    }

    proptest! {
        /// RN-10: the wait is that of the number of failures since the last stable run, counted by hand.
        #[test]
        fn as_the_model_says(runs in proptest::collection::vec(0..120u64, 1..40), most in proptest::option::of(1..6usize)) {
            let mut restarts = Restarts::new(backoff(), 60 * SECOND, most.map(|most| most as u32));
            let mut given = 0;
            for run in runs {
                given = if run >= 60 { 0 } else { given };
                let expected = [1, 2, 4, 8].get(given).copied().unwrap_or(10);
                let last = most == Some(given);
                let delay = restarts.failed(Duration::from_secs(run), &mut || 0.0);
                prop_assert_eq!(delay, (!last).then_some(expected * SECOND));
                given += usize::from(!last);
            }
        }
    }
}
