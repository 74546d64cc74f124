//! The clock that all processes of a machine share.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The time since the machine started, by a clock that is never set and that reads the same in every process.
///
/// ```
/// let before = seaworthy_faults::clock::now();
/// assert!(seaworthy_faults::clock::now() >= before);
/// ```
pub fn now() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    // Neither is ever negative: the clock starts at zero, and the nanoseconds are those of a second.
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}
