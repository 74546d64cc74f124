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
    /// Sets up a policy.
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

    /// The time after which a probe is given up.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// What is at most added to an interval by chance.
    #[must_use]
    pub fn jitter(&self) -> Duration {
        self.jitter
    }

    /// The time from the start of the target in which failures do not mark it, unless it was found healthy meanwhile.
    #[must_use]
    pub fn start_period(&self) -> Duration {
        self.rules.start_period
    }

    /// The failures in a row that make a target unhealthy.
    #[must_use]
    pub fn failure_threshold(&self) -> u32 {
        self.rules.failure_threshold
    }

    /// The successes in a row that make a target healthy.
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
    /// Begins the next probe so long after the last one ended. More than zero; 10 s if not set. A time too long to be
    /// told is without end: there is one probe, and no other.
    pub fn interval(mut self, time: Duration) -> ProbePolicyBuilder {
        self.interval = time;
        self
    }

    /// Gives up a probe that has not ended after so long, as a failure. More than zero, and longer than the
    /// interval if you like: probes of a target do not overlap. 2 s if not set, or the interval where that is shorter.
    pub fn timeout(mut self, time: Duration) -> ProbePolicyBuilder {
        self.timeout = Some(time);
        self
    }

    /// Adds a time from zero to this one by chance, before the first probe and to each interval, so that targets that
    /// were added together are not probed together. None if not set.
    pub fn jitter(mut self, most: Duration) -> ProbePolicyBuilder {
        self.jitter = most;
        self
    }

    /// Counts failures in the first time after the target's start, but does not call it unhealthy for them. Being found
    /// healthy ends it. May be zero; 30 s if not set.
    pub fn start_period(mut self, time: Duration) -> ProbePolicyBuilder {
        self.rules.start_period = time;
        self
    }

    /// Calls a target unhealthy after so many failures in a row. At least 1; 3 if not set.
    pub fn failure_threshold(mut self, count: u32) -> ProbePolicyBuilder {
        self.rules.failure_threshold = count;
        self
    }

    /// Calls a target healthy after so many successes in a row. At least 1; 1 if not set.
    pub fn success_threshold(mut self, count: u32) -> ProbePolicyBuilder {
        self.rules.success_threshold = count;
        self
    }

    /// Checks the settings. Nothing about them fails later.
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
