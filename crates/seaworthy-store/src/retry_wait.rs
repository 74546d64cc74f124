//! How long a loop waits that met an error, so that none ever spins.

use std::time::Duration;

use crate::random;
use crate::time::{Instant, now};

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
const GOOD_RUN: Duration = Duration::from_secs(30);

/// Waits of 100 ms, doubling to 5 s (or to a shorter cap), with full jitter over the upper three quarters; back to the
/// first after 30 s without an error.
#[derive(Debug)]
pub struct RetryWait {
    errors: u32,
    cap: Duration,
    /// When the last wait was over.
    since: Option<Instant>,
}

impl Default for RetryWait {
    fn default() -> RetryWait {
        RetryWait::up_to(LONGEST)
    }
}

impl RetryWait {
    /// Stops doubling at `cap`.
    #[must_use]
    pub fn up_to(cap: Duration) -> RetryWait {
        RetryWait { errors: 0, cap, since: None }
    }

    /// How long to wait after this error.
    pub fn after_error(&mut self) -> Duration {
        let now = now();
        if self.since.is_some_and(|since| now.saturating_duration_since(since) >= GOOD_RUN) {
            self.errors = 0;
        }
        let longest = FIRST.saturating_mul(1 << self.errors.min(16)).min(self.cap);
        self.errors = self.errors.saturating_add(1);
        // Never near zero, or two errors at once would be a spin.
        let wait = longest.mul_f64(0.25 + 0.75 * random::fraction());
        self.since = Some(now + wait);
        wait
    }
}
