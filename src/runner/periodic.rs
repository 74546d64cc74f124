use std::time::Duration;

use crate::error::ConfigError;
use crate::error::check::Subject;
use crate::machine::runner::schedule::PeriodicSchedule;
use crate::machine::timestamp::Timestamp;

/// When a periodic task runs. Validated when the task is registered. A [`Duration`] converts into one.
///
/// The task is due when it is registered, and then once every period, on a grid that a late run does not shift. Runs
/// never overlap: runs that came due during another are skipped, so that there is no burst after a stall.
///
/// ```
/// use seaworthy::runner::Periodic;
/// use std::time::Duration;
///
/// let every = Periodic::new(Duration::from_secs(300))
///     .first_after(Duration::from_secs(60))
///     .jitter(Duration::from_secs(30));
/// # let _ = every;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a period does nothing until it is given to a task"]
pub struct Periodic {
    period: Duration,
    first_after: Duration,
    jitter: Duration,
}

impl Periodic {
    /// Runs once every period. At least a millisecond, which is the resolution of the timers. If the clock cannot
    /// represent the period, the task runs once.
    pub fn new(period: Duration) -> Periodic {
        Periodic { period, first_after: Duration::ZERO, jitter: Duration::ZERO }
    }

    /// The first run is due this long after the task was registered. At once if not set.
    pub fn first_after(mut self, time: Duration) -> Periodic {
        self.first_after = time;
        self
    }

    /// Each run, the first one included, begins up to this much later than it is due, uniformly distributed, so that
    /// many processes do not all run it at the same time. At most the period; none if not set.
    pub fn jitter(mut self, jitter: Duration) -> Periodic {
        self.jitter = jitter;
        self
    }

    pub(super) fn check(&self, task: Subject<'_>) -> Result<(), ConfigError> {
        self.check_as(task, "every")
    }

    /// `field` is what the period is called.
    pub(super) fn check_as(&self, task: Subject<'_>, field: &'static str) -> Result<(), ConfigError> {
        let Periodic { period, jitter, .. } = *self;
        let least = Duration::from_millis(1);
        task.require(period >= least, field, period, "the period must be at least a millisecond")?;
        task.require(jitter <= period, "jitter", jitter, "must not be longer than the period")
    }

    pub(super) fn machine(&self, now: Timestamp) -> PeriodicSchedule {
        PeriodicSchedule::new(now.after(self.first_after), self.period, self.jitter)
    }
}

impl From<Duration> for Periodic {
    fn from(period: Duration) -> Periodic {
        Periodic::new(period)
    }
}
