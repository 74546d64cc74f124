use std::time::Duration;

use crate::error::ConfigError;
use crate::error::check::{Most, Subject};
use crate::machine::retry::backoff::Backoff;
use crate::machine::runner::restart::Restarts;

/// How a supervised task is restarted after it failed. Validated when the task is registered.
///
/// By default the backoff is exponential, from 100 ms to 30 s with full jitter; it starts over after a run of a minute,
/// and there is no limit on restarts.
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
    /// Waits for this backoff before each restart. Its base must be longer than zero; whatever the jitter, a wait is
    /// never shorter than a millisecond.
    pub fn new(backoff: Backoff) -> RestartPolicy {
        RestartPolicy { backoff, reset_after: Duration::from_secs(60), max_restarts: None }
    }

    /// A run of at least this time was stable: the backoff and the count of [`max_restarts`](Self::max_restarts) start
    /// over. More than zero; a minute if not set. A duration that the clock cannot represent is never reached.
    pub fn reset_after(mut self, time: Duration) -> RestartPolicy {
        self.reset_after = time;
        self
    }

    /// Gives up after this many restarts without a stable run in between: the next failure is the task's own, and
    /// begins the shutdown. At least 1; no limit if not set.
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
