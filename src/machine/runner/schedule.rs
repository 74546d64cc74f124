use std::time::Duration;

use crate::machine::Rng;
use crate::machine::timestamp::Timestamp;

/// When a periodic task is due: on a grid that never moves, so that a late run does not shift the ones after it. Missed
/// points are skipped.
#[derive(Clone, Debug)]
pub(crate) struct PeriodicSchedule {
    /// The next point on the grid.
    grid: Timestamp,
    period: Duration,
    /// A run is at most this much later than the grid says.
    jitter: Duration,
}

impl PeriodicSchedule {
    pub(crate) fn new(first: Timestamp, period: Duration, jitter: Duration) -> PeriodicSchedule {
        PeriodicSchedule { grid: first, period, jitter }
    }

    /// When the next run is due.
    pub(crate) fn due(&self, rng: Rng<'_>) -> Timestamp {
        if self.jitter.is_zero() {
            return self.grid;
        }
        // A jitter too long to multiply is one the clock cannot represent: the run is never due.
        let late = Duration::try_from_secs_f64(self.jitter.as_secs_f64() * rng());
        self.grid.after(late.unwrap_or(self.jitter).min(self.jitter))
    }

    /// A run has ended: move to the first point that has not passed.
    pub(crate) fn ran(&mut self, now: Timestamp) {
        self.grid = self.grid.after(self.period);
        let behind = now.since(self.grid).as_nanos();
        // A period of zero is refused by the builder.
        let missed = behind.div_ceil(self.period.as_nanos().max(1));
        let nanos = missed.saturating_mul(self.period.as_nanos());
        if nanos > 0 {
            self.grid = self.grid.after(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(nanos: u64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    /// RN-11: a run that ends before the next point changes nothing; one that ends on it or after it misses no more
    /// than the points that have passed.
    #[test]
    fn keeps_to_the_grid() {
        let mut schedule = PeriodicSchedule::new(at(100), Duration::from_nanos(10), Duration::ZERO);
        let mut next = |end| {
            schedule.ran(at(end));
            schedule.due(&mut || panic!("no jitter, no draw")).as_nanos()
        };
        assert_eq!([100, 119, 130, 131, 1_000_005].map(&mut next), [110, 120, 130, 140, 1_000_010]);
    }

    #[test]
    fn without_end() {
        let mut schedule = PeriodicSchedule::new(at(100), Duration::MAX, Duration::MAX);
        assert_eq!(schedule.due(&mut || 0.0), at(100));
        assert_eq!(schedule.due(&mut || 0.9), Timestamp::NEVER);
        schedule.ran(at(200));
        assert_eq!(schedule.due(&mut || 0.0), Timestamp::NEVER);
        schedule.ran(at(u64::MAX - 1));
        assert_eq!(schedule.due(&mut || 0.0), Timestamp::NEVER);
    }

    proptest! {
        /// RN-11: the next point is the first on the grid after the last run's that has not passed, found by stepping
        /// along the grid.
        #[test]
        fn as_the_model_says(
            first in 0..50u64, period in 1..20u64, jitter in 0..20u64, fraction in 0.0..1.0,
            runs in proptest::collection::vec(0..100u64, 1..20),
        ) {
            let period_span = Duration::from_nanos(period);
            let mut schedule = PeriodicSchedule::new(at(first), period_span, Duration::from_nanos(jitter));
            let mut point = first;
            for run in runs {
                let due = schedule.due(&mut || fraction).as_nanos();
                prop_assert!((point..=point + jitter).contains(&due), "{due} is not at {point}");
                let end = due + run;
                schedule.ran(at(end));
                point += period;
                while point < end {
                    point += period;
                }
            }
        }
    }
}
