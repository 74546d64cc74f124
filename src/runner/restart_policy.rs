use std::time::Duration;

use crate::error::ConfigError;
use crate::error::check::{Most, Subject};
use crate::machine::lifecycle::restart::Restarts;
use crate::machine::retry::backoff::Backoff;

/// How a supervised task is started again after it failed. Checked when the task is registered.
///
/// By default it waits from 100 ms, doubling up to 30 s with full jitter, starts over after a run of a minute, and
/// never gives up.
///
/// ```
/// use seaworthy::{Backoff, runner::RestartPolicy};
/// use std::time::Duration;
///
/// let restart = RestartPolicy::new(Backoff::exponential(Duration::from_secs(1), Duration::from_secs(60)))
///     .reset_after(Duration::from_secs(300))
///     .max_restarts(10);
/// # let _ = restart;
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use = "a restart policy does nothing until it is given to a task"]
pub struct RestartPolicy {
    backoff: Backoff,
    reset_after: Duration,
    max_restarts: Option<u32>,
}

impl RestartPolicy {
    /// Waits so long before each restart. The base must be longer than zero; and however the jitter falls, a wait is never
    /// shorter than a millisecond.
    pub fn new(backoff: Backoff) -> RestartPolicy {
        RestartPolicy { backoff, reset_after: Duration::from_secs(60), max_restarts: None }
    }

    /// A run of at least this time was a stable one: the waits, and the count of [`max_restarts`](Self::max_restarts), begin
    /// anew. More than zero; a minute if not set. A time too long to be told is never reached.
    pub fn reset_after(mut self, time: Duration) -> RestartPolicy {
        self.reset_after = time;
        self
    }

    /// Gives up after so many restarts without a stable run in between: the next failure is the task's, and begins the
    /// shutdown. At least 1; without end if not set.
    pub fn max_restarts(mut self, restarts: u32) -> RestartPolicy {
        self.max_restarts = Some(restarts);
        self
    }

    pub(super) fn check(&self, task: Subject<'_>) -> Result<(), ConfigError> {
        let wait = self.backoff.base();
        task.require(!wait.is_zero(), "restart", wait, "the wait must be longer than zero")?;
        task.backoff("restart", &self.backoff)?;
        task.time("reset_after", self.reset_after)?;
        task.count("at_most", self.max_restarts, Most::NONE)
    }

    pub(super) fn machine(&self) -> Restarts {
        Restarts::new(self.backoff, self.reset_after, self.max_restarts)
    }
}

impl Default for RestartPolicy {
    fn default() -> RestartPolicy {
        RestartPolicy::new(Backoff::exponential(Duration::from_millis(100), Duration::from_secs(30)))
    }
}

impl From<Backoff> for RestartPolicy {
    fn from(backoff: Backoff) -> RestartPolicy {
        RestartPolicy::new(backoff)
    }
}
