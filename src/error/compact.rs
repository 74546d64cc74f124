//! Times in less than a word, so that a [`Rejected`](super::Rejected) is only two.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

const NANOS_PER_MILLI: u64 = 1_000_000;

/// How long to wait before another try, where that is known. Whole milliseconds, rounded up, so that whoever waits that
/// long does not come too early; a wait of zero, or of more than 49 days, counts as unknown.
///
/// ```
/// use seaworthy::RetryAfter;
/// use std::time::Duration;
///
/// let wait = RetryAfter::from(Duration::from_micros(1_500));
/// assert_eq!(wait.get(), Some(Duration::from_millis(2)));
/// assert_eq!(RetryAfter::UNKNOWN.get(), None);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct RetryAfter(Option<NonZeroU32>);

impl RetryAfter {
    /// Nothing is known.
    pub const UNKNOWN: RetryAfter = RetryAfter(None);

    /// The time, if it is known.
    #[must_use]
    #[inline]
    pub const fn get(self) -> Option<Duration> {
        match self.0 {
            Some(millis) => Some(Duration::from_millis(millis.get() as u64)),
            None => None,
        }
    }

    #[inline(always)]
    pub(super) const fn bits(self) -> u32 {
        match self.0 {
            Some(millis) => millis.get(),
            None => 0,
        }
    }

    #[inline(always)]
    pub(super) const fn from_bits(bits: u32) -> RetryAfter {
        RetryAfter(NonZeroU32::new(bits))
    }

    #[inline]
    pub(crate) fn from_nanos(nanos: u64) -> RetryAfter {
        RetryAfter(u32::try_from(nanos.div_ceil(NANOS_PER_MILLI)).ok().and_then(NonZeroU32::new))
    }
}

impl From<Duration> for RetryAfter {
    fn from(time: Duration) -> RetryAfter {
        u64::try_from(time.as_nanos()).map_or(RetryAfter::UNKNOWN, RetryAfter::from_nanos)
    }
}

impl From<Option<Duration>> for RetryAfter {
    fn from(time: Option<Duration>) -> RetryAfter {
        time.map_or(RetryAfter::UNKNOWN, RetryAfter::from)
    }
}

impl fmt::Debug for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// The time that a call had, as found in [`Rejected::TimedOut`](crate::Rejected::TimedOut). Exact if it is a whole
/// number of nanoseconds up to one second, of microseconds up to 17 minutes, of milliseconds up to 12 days, or of
/// seconds; otherwise rounded up to that. The longest is 34 years.
///
/// ```
/// use seaworthy::TimeLimit;
/// use std::time::Duration;
///
/// let limit = TimeLimit::from(Duration::from_micros(1_500));
/// assert_eq!(limit.get(), Duration::from_micros(1_500));
/// ```
// A number in 30 bits, and above it which of the units it counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TimeLimit(u32);

const NUMBER: u32 = 30;
const LARGEST: u32 = (1 << NUMBER) - 1;
/// In nanoseconds.
const UNITS: [u64; 4] = [1, 1_000, NANOS_PER_MILLI, 1_000_000_000];

impl TimeLimit {
    pub(super) const fn bits(self) -> u32 {
        self.0
    }

    pub(super) const fn from_bits(bits: u32) -> TimeLimit {
        TimeLimit(bits)
    }

    /// The time.
    #[must_use]
    pub fn get(self) -> Duration {
        let unit = UNITS[(self.0 >> NUMBER) as usize];
        Duration::from_nanos(u64::from(self.0 & LARGEST) * unit)
    }
}

impl From<Duration> for TimeLimit {
    fn from(time: Duration) -> TimeLimit {
        let nanos = time.as_nanos();
        for (index, unit) in (0..).zip(UNITS) {
            match u32::try_from(nanos.div_ceil(unit.into())) {
                Ok(number) if number <= LARGEST => return TimeLimit(index << NUMBER | number),
                _ => {}
            }
        }
        TimeLimit(u32::MAX)
    }
}

impl From<TimeLimit> for Duration {
    fn from(limit: TimeLimit) -> Duration {
        limit.get()
    }
}

impl PartialEq<Duration> for TimeLimit {
    fn eq(&self, time: &Duration) -> bool {
        self.get() == *time
    }
}

impl fmt::Debug for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const NS: Duration = Duration::from_nanos(1);

    /// ER-12: whole milliseconds, rounded up; nothing and more than 49 days are unknown.
    #[test]
    fn retry_after_is_rounded_up() {
        let longest = MS * u32::MAX;
        for (time, expected) in [
            (Duration::ZERO, None),
            (NS, Some(MS)),
            (MS - NS, Some(MS)),
            (MS, Some(MS)),
            (MS + NS, Some(MS * 2)),
            (Duration::from_secs(30), Some(Duration::from_secs(30))),
            (Duration::from_secs(30) - NS, Some(Duration::from_secs(30))),
            (longest - NS, Some(longest)),
            (longest, Some(longest)),
            (longest + NS, None),
            (Duration::from_nanos(u64::MAX), None),
            (Duration::from_nanos(u64::MAX) + NS, None),
            (Duration::MAX, None),
        ] {
            assert_eq!(RetryAfter::from(time).get(), expected, "{time:?}");
            assert_eq!(RetryAfter::from(Some(time)), RetryAfter::from(time), "{time:?}");
        }
        assert!(longest > Duration::from_secs(49 * 24 * 60 * 60));
        assert_eq!((RetryAfter::from(None), RetryAfter::default()), (RetryAfter::UNKNOWN, RetryAfter::UNKNOWN));
        assert_eq!(size_of::<RetryAfter>(), 4);
    }

    /// ER-12: the limit of a timeout is exact as far as anybody will notice.
    #[test]
    fn time_limit_is_exact_enough() {
        let second = Duration::from_secs(1);
        let most = |unit: Duration| unit * LARGEST;
        for exact in [
            Duration::ZERO,
            NS,
            MS + NS,
            most(NS),
            second * 2 + NS * 1_000,
            most(NS * 1_000),
            MS * 3_600_001,
            most(MS),
            second * 60 * 60 * 24 * 366,
            most(second),
        ] {
            assert_eq!(TimeLimit::from(exact).get(), exact);
        }
        for (time, rounded) in [
            (second * 2 + NS, second * 2 + NS * 1_000),
            (second * 60 * 60 + NS, second * 60 * 60 + MS),
            (second * 60 * 60 * 24 * 13 + NS, second * 60 * 60 * 24 * 13 + second),
            (most(second) + NS, most(second)),
            (Duration::MAX, most(second)),
        ] {
            assert_eq!(Duration::from(TimeLimit::from(time)), rounded, "{time:?}");
        }
        assert!(most(NS) > second && most(second) > second * 60 * 60 * 24 * 365 * 34);
        assert_eq!(format!("{:?}", TimeLimit::from(MS * 1_500)), "1.5s");
    }
}
