//! Times of rows: microseconds since 1970.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Rounded up, so that nothing ends early.
pub(crate) fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_nanos().div_ceil(1_000)).unwrap_or(i64::MAX)
}

pub(crate) fn span(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

pub(crate) fn system_time(micros: i64) -> SystemTime {
    UNIX_EPOCH + span(micros)
}
