use std::time::Duration;

use super::kind::PROBE;
use crate::error::ConfigError;
use crate::error::check::Most;
use crate::machine::probe::track::Rules;

const INTERVAL: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(2);
const START_PERIOD: Duration = Duration::from_secs(30);
const FAILURES: u32 = 3;
const SUCCESSES: u32 = 1;

/// How often a target is probed, and how the results are judged.
///
/// ```
/// use seaworthy::prober::ProbePolicy;
/// use std::time::Duration;
///
/// let policy = ProbePolicy::builder().interval(Duration::from_secs(1)).failure_threshold(2).build()?;
/// assert_eq!(policy.timeout(), Duration::from_secs(1)); // Where nothing is said of it, no longer than the interval.
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbePolicy {
    interval: Duration,
    timeout: Duration,
    jitter: Duration,
    rules: Rules,
}

impl ProbePolicy {
    /// Starts a builder.
    pub fn builder() -> ProbePolicyBuilder {
        ProbePolicyBuilder {
            interval: INTERVAL,
            timeout: None,
            jitter: Duration::ZERO,
            rules: Rules { start_period: START_PERIOD, failure_threshold: FAILURES, success_threshold: SUCCESSES },
        }
    }

    /// The time from the end of a probe to the beginning of the next one, without jitter.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// The time limit of a probe.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The most that jitter adds to an interval.
    #[must_use]
    pub fn jitter(&self) -> Duration {
        self.jitter
    }

    /// The time after the target's start during which failures do not make it unhealthy, unless it has been found
    /// healthy.
    #[must_use]
    pub fn start_period(&self) -> Duration {
        self.rules.start_period
    }

    /// How many failures in a row make a target unhealthy.
    #[must_use]
    pub fn failure_threshold(&self) -> u32 {
        self.rules.failure_threshold
    }

    /// How many successes in a row make a target healthy.
    #[must_use]
    pub fn success_threshold(&self) -> u32 {
        self.rules.success_threshold
    }

    pub(super) fn rules(&self) -> Rules {
        self.rules
    }
}

/// An interval of 10 s, a timeout of 2 s, no jitter, a start period of 30 s, 3 failures, 1 success.
impl Default for ProbePolicy {
    fn default() -> ProbePolicy {
        let ProbePolicyBuilder { interval, jitter, rules, .. } = ProbePolicy::builder();
        ProbePolicy { interval, timeout: TIMEOUT, jitter, rules }
    }
}

/// The settings of a [`ProbePolicy`]; nothing is checked before [`build`](Self::build).
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ProbePolicyBuilder {
    interval: Duration,
    timeout: Option<Duration>,
    jitter: Duration,
    rules: Rules,
}

impl ProbePolicyBuilder {
    /// The time from the end of one probe to the beginning of the next. More than zero; 10 s if not set. A duration
    /// that the clock cannot represent means no limit: there is one probe, and no other.
    pub fn interval(mut self, time: Duration) -> ProbePolicyBuilder {
        self.interval = time;
        self
    }

    /// Cancels a probe that takes longer, and counts it as a failure. More than zero; may be longer than the interval,
    /// as the probes of a target do not overlap. 2 s if not set, or the interval if that is shorter.
    pub fn timeout(mut self, time: Duration) -> ProbePolicyBuilder {
        self.timeout = Some(time);
        self
    }

    /// Adds a random time from zero to `most` before the first probe and to each interval, so that targets added
    /// together are not probed together. None if not set.
    pub fn jitter(mut self, most: Duration) -> ProbePolicyBuilder {
        self.jitter = most;
        self
    }

    /// How long after its start a target is not called unhealthy: failures are counted, but do not change its state.
    /// Being found healthy ends it. May be zero; 30 s if not set.
    pub fn start_period(mut self, time: Duration) -> ProbePolicyBuilder {
        self.rules.start_period = time;
        self
    }

    /// How many failures in a row make a target unhealthy. At least 1; 3 if not set.
    pub fn failure_threshold(mut self, count: u32) -> ProbePolicyBuilder {
        self.rules.failure_threshold = count;
        self
    }

    /// How many successes in a row make a target healthy. At least 1; 1 if not set.
    pub fn success_threshold(mut self, count: u32) -> ProbePolicyBuilder {
        self.rules.success_threshold = count;
        self
    }

    /// Checks the settings and builds a policy. Once it is built, no setting can fail.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and the rule.
    pub fn build(self) -> Result<ProbePolicy, ConfigError> {
        let ProbePolicyBuilder { interval, timeout, jitter, rules } = self;
        let timeout = timeout.unwrap_or(TIMEOUT.min(interval));
        PROBE.require(!interval.is_zero(), "interval", interval, "must be more than zero")?;
        PROBE.require(!timeout.is_zero(), "timeout", timeout, "must be more than zero")?;
        PROBE.count("failure_threshold", rules.failure_threshold, Most::NONE)?;
        PROBE.count("success_threshold", rules.success_threshold, Most::NONE)?;
        Ok(ProbePolicy { interval, timeout, jitter, rules })
    }
}
