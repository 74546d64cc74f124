//! Spans and moments as microseconds since 1970, in which both SQL stores count.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// 10,000 years: what no clock reaches, and a timestamp of Postgres can still hold.
const LONGEST: i64 = 10_000 * 365 * 24 * 60 * 60 * 1_000_000;

/// Rounded up, so that nothing ends early; 10,000 years at most.
#[must_use]
pub fn of(span: Duration) -> i64 {
    i64::try_from(span.as_nanos().div_ceil(1_000)).unwrap_or(LONGEST).min(LONGEST)
}

/// Zero if it is over.
#[must_use]
pub fn span(us: i64) -> Duration {
    Duration::from_micros(u64::try_from(us).unwrap_or(0))
}

/// So long after 1970, or before.
#[must_use]
pub fn moment(us: i64) -> SystemTime {
    let span = Duration::from_micros(us.unsigned_abs());
    let moment = if us < 0 { UNIX_EPOCH.checked_sub(span) } else { UNIX_EPOCH.checked_add(span) };
    moment.unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CO-08b: no span is too long, and none that is not nothing becomes nothing.
    #[test]
    fn spans_and_moments() {
        assert_eq!([of(Duration::ZERO), of(Duration::from_nanos(1)), of(Duration::from_micros(7))], [0, 1, 7]);
        assert_eq!([of(Duration::MAX), of(Duration::from_secs(1 << 40))], [LONGEST; 2]);
        assert_eq!([span(-1), span(0), span(7)], [0, 0, 7].map(Duration::from_micros));
        assert_eq!(moment(-7), UNIX_EPOCH - Duration::from_micros(7));
        assert_eq!(moment(7), UNIX_EPOCH + Duration::from_micros(7));
    }
}
