use std::time::Duration;

/// How long a follower waits before it asks again: one poll to one and a quarter, by `fraction`, which is in `[0, 1)`.
pub(crate) fn poll_wait(poll: Duration, fraction: f64) -> Duration {
    poll.saturating_add(poll.mul_f64(0.25 * fraction))
}

/// The longest time from the death of a leader to the next term: its last renewal is carried out at the end of its
/// limit; a follower's asking just before the lease is over hangs to its limit, and then waits longest; the next one
/// hangs to its limit, too.
pub(crate) fn failover_bound(ttl: Duration, poll: Duration, request_timeout: Duration) -> Duration {
    request_timeout.saturating_mul(3).saturating_add(ttl).saturating_add(poll).saturating_add(poll / 4)
}

const FIRST: Duration = Duration::from_millis(100);
const GOOD_RUN: Duration = Duration::from_secs(30);

/// How long an election waits that met an error: 100 ms, doubling, with full jitter over the upper three quarters,
/// until it is as long as a follower waits anyhow; the first again after 30 s without an error.
#[derive(Clone, Debug, Default)]
pub(crate) struct ErrorWaits {
    errors: u32,
    /// When the last wait was over.
    since: Option<Duration>,
}

impl ErrorWaits {
    pub(crate) fn after_error(&mut self, now: Duration, poll: Duration, fraction: f64) -> Duration {
        if self.since.is_some_and(|since| now.saturating_sub(since) >= GOOD_RUN) {
            self.errors = 0;
        }
        let longest = FIRST.saturating_mul(1 << self.errors.min(16));
        self.errors = self.errors.saturating_add(1);
        let wait = if longest < poll { longest.mul_f64(0.25 + 0.75 * fraction) } else { poll_wait(poll, fraction) };
        self.since = Some(now + wait);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CO-15: 100 ms, doubling up to the poll, and the first again after a good run of 30 s; never near zero.
    #[test]
    fn error_waits() {
        let poll = Duration::from_secs(2);
        let mut waits = ErrorWaits::default();
        let mut now = Duration::ZERO;
        let mut after = |good: u64, fraction| {
            now += Duration::from_millis(good);
            let wait = waits.after_error(now, poll, fraction);
            now += wait;
            wait.as_millis()
        };
        assert_eq!([0; 6].map(|good| after(good, 0.0)), [25, 50, 100, 200, 400, 2_000]);
        assert_eq!([29_999, 30_000, 0].map(|good| after(good, 1.0)), [2_500, 100, 200]);
    }

    /// LE-20: at defaults 23.5 s, and with a file's defaults 16.5 s.
    #[test]
    fn bound_at_defaults() {
        let bound = |ttl, poll, limit| {
            let seconds = Duration::from_secs;
            failover_bound(seconds(ttl), seconds(poll), seconds(limit))
        };
        assert_eq!(bound(15, 2, 2), Duration::from_millis(23_500));
        assert_eq!(bound(8, 2, 2), Duration::from_millis(16_500));
        assert_eq!(failover_bound(Duration::MAX, Duration::MAX, Duration::MAX), Duration::MAX);
    }

    /// LE-20: a follower asks every 2 to 2.5 s, never later.
    #[test]
    fn polls() {
        let poll = Duration::from_secs(2);
        assert_eq!(poll_wait(poll, 0.0), poll);
        assert_eq!(poll_wait(poll, 0.5), Duration::from_millis(2_250));
        assert!(poll_wait(poll, 1.0 - f64::EPSILON) <= Duration::from_millis(2_500));
    }
}
