//! How long a loop waits that met an error, so that none ever spins.

use std::time::Duration;

use seaworthy::{Backoff, Jitter};

use crate::random;
use crate::time::{Instant, now};

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
const GOOD_RUN: Duration = Duration::from_secs(30);

/// Waits of 100 ms, doubling to 5 s (or to a shorter cap), with equal jitter, so that none is near zero; back to the
/// first after 30 s without an error.
#[derive(Debug)]
pub struct RetryWait {
    errors: u32,
    backoff: Backoff,
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
        RetryWait { errors: 0, backoff: Backoff::exponential(FIRST, cap).jitter(Jitter::Equal), since: None }
    }

    /// How long to wait after this error.
    pub fn after_error(&mut self) -> Duration {
        let now = now();
        if self.since.is_some_and(|since| now.saturating_duration_since(since) >= GOOD_RUN) {
            self.errors = 0;
        }
        let wait = self.backoff.delay(self.errors, &mut random::fraction);
        self.errors = self.errors.saturating_add(1);
        self.since = Some(now + wait);
        wait
    }
}
