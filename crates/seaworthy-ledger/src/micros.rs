//! Spans and moments as microseconds since 1970, in which both SQL stores count.

use std::time::Duration;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use std::time::{SystemTime, UNIX_EPOCH};

/// 10,000 years: what no clock reaches, and a timestamp of Postgres can still hold.
const LONGEST: i64 = 10_000 * 365 * 24 * 60 * 60 * 1_000_000;

/// Rounded up, so that nothing ends early.
pub(crate) fn of(span: Duration) -> i64 {
    i64::try_from(span.as_nanos().div_ceil(1_000)).unwrap_or(LONGEST).min(LONGEST)
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
/// Zero if it is over.
pub(crate) fn span(us: i64) -> Duration {
    Duration::from_micros(u64::try_from(us).unwrap_or(0))
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) fn moment(us: i64) -> SystemTime {
    let span = Duration::from_micros(us.unsigned_abs());
    let moment = if us < 0 { UNIX_EPOCH.checked_sub(span) } else { UNIX_EPOCH.checked_add(span) };
    moment.unwrap_or(UNIX_EPOCH)
}
