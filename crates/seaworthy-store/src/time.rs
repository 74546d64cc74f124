//! The only file that reads a clock: tokio's, so that tests can pause it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use tokio::time::Instant;

/// Now, by the monotonic clock.
#[inline]
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place")]
pub fn now() -> Instant {
    Instant::now()
}

/// Now, by the wall clock, since 1970. For logs, ids, and the row clock of a store that has no other.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place")]
pub fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO)
}

/// Waits.
#[expect(clippy::disallowed_methods, reason = "the one place")]
pub async fn sleep(span: Duration) {
    tokio::time::sleep(span).await;
}

/// Waits until then.
#[expect(clippy::disallowed_methods, reason = "the one place")]
pub async fn sleep_until(moment: Instant) {
    tokio::time::sleep_until(moment).await;
}
