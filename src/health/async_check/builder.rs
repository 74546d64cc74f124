use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::AsyncCheck;
use super::attempt::Maker;
use super::shared::{CheckSettings, Shared};
use crate::error::ConfigError;
use crate::error::check::{Most, Subject};

/// The settings of an asynchronous check. Made by [`AsyncCheck::builder`]; nothing is checked before
/// [`build`](Self::build).
#[must_use = "a builder does nothing until `build`"]
pub struct AsyncCheckBuilder {
    make: Maker,
    settings: CheckSettings,
}

impl AsyncCheckBuilder {
    pub(super) fn new(make: Maker) -> AsyncCheckBuilder {
        AsyncCheckBuilder { make, settings: CheckSettings::default() }
    }

    /// Gives up on a run that takes longer; it has failed then. The time counts from when the run is first pending. 500
    /// ms if not set. A duration that the clock cannot represent means no limit.
    pub fn timeout(mut self, time: Duration) -> AsyncCheckBuilder {
        self.settings.timeout = time;
        self
    }

    /// Keeps a result this long before running again. Results are not kept if not set.
    pub fn min_interval(mut self, time: Duration) -> AsyncCheckBuilder {
        self.settings.min_interval = time;
        self
    }

    /// How long a failure counts in the readiness layer before it is considered stale and requests are let in again. A
    /// minute if not set. Health endpoints do not use it: they run the check.
    pub fn max_age(mut self, time: Duration) -> AsyncCheckBuilder {
        self.settings.max_age = time;
        self
    }

    /// The check is down after this many failed runs in a row; a success starts the count over. 1 if not set. Until
    /// then it reports up, to the readiness layer and at the endpoints.
    pub fn failure_threshold(mut self, runs: u32) -> AsyncCheckBuilder {
        self.settings.thresholds.failures = runs;
        self
    }

    /// The check is up again after this many successful runs in a row. 1 if not set. Until then it stays down, with the
    /// latest reason.
    pub fn success_threshold(mut self, runs: u32) -> AsyncCheckBuilder {
        self.settings.thresholds.successes = runs;
        self
    }

    /// Checks the settings and builds a check. Once it is built, no setting can fail.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and the rule: `timeout`, `max_age` and the thresholds must not be zero,
    /// and `max_age` must not be shorter than `min_interval`.
    pub fn build(self) -> Result<AsyncCheck, ConfigError> {
        let CheckSettings { timeout, min_interval, max_age, thresholds } = self.settings;
        let check = Subject::of("health check");
        check.time("timeout", timeout)?;
        check.time("max_age", max_age)?;
        check.require(max_age >= min_interval, "max_age", max_age, "must not be shorter than `min_interval`")?;
        check.count("failure_threshold", thresholds.failures, Most::NONE)?;
        check.count("success_threshold", thresholds.successes, Most::NONE)?;
        Ok(AsyncCheck(Arc::new(Shared::new(self.make, self.settings))))
    }
}

impl fmt::Debug for AsyncCheckBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CheckSettings { timeout, min_interval, max_age, thresholds } = &self.settings;
        f.debug_struct("AsyncCheckBuilder")
            .field("timeout", timeout)
            .field("min_interval", min_interval)
            .field("max_age", max_age)
            .field("failure_threshold", &thresholds.failures)
            .field("success_threshold", &thresholds.successes)
            .finish_non_exhaustive()
    }
}
