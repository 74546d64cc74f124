use std::time::Duration;

use seaworthy::{Backoff, ConfigError, Jitter};

/// What a consumer was built with.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) visibility: Duration,
    pub(super) concurrency: u32,
    pub(super) max_deliveries: u32,
    pub(super) backoff: Backoff,
    pub(super) job_timeout: Option<Duration>,
    pub(super) defer: Duration,
    pub(super) defer_at_most: Duration,
    pub(super) suspect_after: Option<u32>,
    pub(super) drain: Duration,
    pub(super) block: Option<Duration>,
}

impl Default for Settings {
    fn default() -> Settings {
        let (first, longest) = (Duration::from_secs(1), Duration::from_secs(5 * 60));
        Settings {
            visibility: Duration::from_secs(30),
            concurrency: 10,
            max_deliveries: 5,
            backoff: Backoff::exponential(first, longest).jitter(Jitter::Full),
            job_timeout: Some(Duration::from_secs(10 * 60)),
            defer: Duration::from_secs(1),
            defer_at_most: Duration::from_secs(24 * 60 * 60),
            suspect_after: Some(2),
            drain: Duration::from_secs(15),
            block: None,
        }
    }
}

/// No deferral is shorter.
pub(super) const SHORTEST_DEFERRAL: Duration = Duration::from_millis(100);

impl Settings {
    /// `request_timeout` is the queue's.
    pub(super) fn check(&self, request_timeout: Duration) -> Result<(), ConfigError> {
        let require = |holds: bool, field, value: &dyn std::fmt::Debug, rule| {
            if holds { Ok(()) } else { Err(ConfigError::new("consumer", field, value, rule)) }
        };
        let Settings { visibility, concurrency, max_deliveries, defer, .. } = self;
        let allowed = Duration::from_secs(1)..=Duration::from_secs(12 * 60 * 60);
        require(allowed.contains(visibility), "visibility", visibility, "must be 1 s to 12 h")?;
        let rule = "must be longer than three times the queue's request_timeout";
        require(*visibility / 3 > request_timeout, "visibility", visibility, rule)?;
        require((1..=10_000).contains(concurrency), "concurrency", concurrency, "must be 1 to 10,000")?;
        require((1..=1_000).contains(max_deliveries), "max_deliveries", max_deliveries, "must be 1 to 1,000")?;
        self.backoff.check("consumer", "retry_backoff")?;
        let timeout = self.job_timeout.unwrap_or(Duration::MAX);
        require(!timeout.is_zero(), "job_timeout", &timeout, "must be more than zero")?;
        require(*defer >= SHORTEST_DEFERRAL, "defer", defer, "must be at least 100 ms")?;
        let most = self.defer_at_most;
        require(most >= SHORTEST_DEFERRAL, "defer_at_most", &most, "must be at least 100 ms")?;
        let allowed = Duration::from_millis(10)..=(*visibility / 3).min(Duration::from_secs(10));
        let block = self.block();
        let rule = "must be 10 ms to 10 s, and at most a third of the visibility";
        require(allowed.contains(&block), "block", &block, rule)?;
        let Some(suspect_after) = self.suspect_after else { return Ok(()) };
        let rule = "must be 1 to max_deliveries less 2, or never";
        let is_fine = suspect_after >= 1 && suspect_after.saturating_add(2) <= *max_deliveries;
        require(is_fine, "suspect_after", &suspect_after, rule)
    }

    /// After the last good extension was sent a delivery is the consumer's for so long.
    pub(super) fn local_end(&self) -> Duration {
        self.visibility / 15 * 14
    }

    /// A delivery counts from when it was asked for, because nobody knows when in that wait it was handed out.
    pub(super) fn block(&self) -> Duration {
        self.block.unwrap_or(Duration::from_secs(1).min(self.visibility / 3))
    }

    pub(super) fn extend_every(&self) -> Duration {
        self.visibility / 3
    }
}
