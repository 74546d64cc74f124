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

/// The time that a call had, as found in [`Rejected::TimedOut`](crate::Rejected::TimedOut). To the nanosecond up to 416
/// days, to the millisecond, rounded up, above; the longest is more than a million years.
///
/// ```
/// use seaworthy::TimeLimit;
/// use std::time::Duration;
///
/// let limit = TimeLimit::from(Duration::from_micros(1_500));
/// assert_eq!(limit.get(), Duration::from_micros(1_500));
/// ```
// 55 bits of a number, and one that says whether it counts milliseconds; in bytes, because they need no alignment and
// so fit beside the tag of an enum.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TimeLimit([u8; 7]);

const LONGEST: u64 = (1 << 55) - 1;
const IN_MILLIS: u64 = 1 << 55;

impl TimeLimit {
    /// In 56 bits.
    pub(super) const fn bits(self) -> u64 {
        let [a, b, c, d, e, f, g] = self.0;
        u64::from_le_bytes([a, b, c, d, e, f, g, 0])
    }

    pub(super) const fn from_bits(bits: u64) -> TimeLimit {
        let [a, b, c, d, e, f, g, _] = bits.to_le_bytes();
        TimeLimit([a, b, c, d, e, f, g])
    }

    /// The time.
    #[must_use]
    pub fn get(self) -> Duration {
        let bits = self.bits();
        let number = bits & LONGEST;
        if bits & IN_MILLIS == 0 { Duration::from_nanos(number) } else { Duration::from_millis(number) }
    }
}

impl From<Duration> for TimeLimit {
    fn from(time: Duration) -> TimeLimit {
        let nanos = time.as_nanos();
        let bits = match u64::try_from(nanos) {
            Ok(nanos) if nanos <= LONGEST => nanos,
            _ => {
                let millis = nanos.div_ceil(NANOS_PER_MILLI.into());
                u64::try_from(millis).unwrap_or(LONGEST).min(LONGEST) | IN_MILLIS
            }
        };
        TimeLimit::from_bits(bits)
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
    fn time_limit_is_exact_for_a_year() {
        let exact = Duration::from_nanos(LONGEST);
        for time in [Duration::ZERO, NS, MS + NS, Duration::from_secs(366 * 24 * 60 * 60), exact] {
            assert_eq!(TimeLimit::from(time).get(), time);
        }
        let to_the_milli = Duration::from_millis(u64::try_from(exact.as_millis()).unwrap() + 1);
        assert_eq!(TimeLimit::from(exact + NS).get(), to_the_milli);
        assert_eq!(TimeLimit::from(Duration::from_millis(LONGEST)).get(), Duration::from_millis(LONGEST));
        assert_eq!(Duration::from(TimeLimit::from(Duration::MAX)), Duration::from_millis(LONGEST));
        assert_eq!(format!("{:?}", TimeLimit::from(MS * 1_500)), "1.5s");
    }
}
