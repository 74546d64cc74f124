use std::time::Duration;

use crate::error::check::{Most, Subject};
use crate::machine::restart::Restarts;
use crate::{Backoff, ConfigError};

/// How a supervised task is started again after it failed. Checked when the task is registered.
///
/// By default it waits from 100 ms, doubling up to 30 s with full jitter, starts over after a run of a minute, and
/// never gives up.
///
/// ```
/// use seaworthy::{Backoff, runner::Restart};
/// use std::time::Duration;
///
/// let restart = Restart::new(Backoff::exponential(Duration::from_secs(1), Duration::from_secs(60)))
///     .stable_after(Duration::from_secs(300))
///     .at_most(10);
/// # let _ = restart;
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use = "a restart policy does nothing until it is given to a task"]
pub struct Restart {
    backoff: Backoff,
    stable_after: Duration,
    at_most: Option<u32>,
}

impl Restart {
    /// Waits so long before each restart. The base must be longer than zero; and however the jitter falls, a wait is never
    /// shorter than a millisecond.
    pub fn new(backoff: Backoff) -> Restart {
        Restart { backoff, stable_after: Duration::from_secs(60), at_most: None }
    }

    /// A run of at least this time was a stable one: the waits, and the count of [`at_most`](Self::at_most), begin
    /// anew. More than zero; a minute if not set. A time too long to be told is never reached.
    pub fn stable_after(mut self, time: Duration) -> Restart {
        self.stable_after = time;
        self
    }

    /// Gives up after so many restarts without a stable run in between: the next failure is the task's, and begins the
    /// shutdown. At least 1; without end if not set.
    pub fn at_most(mut self, restarts: u32) -> Restart {
        self.at_most = Some(restarts);
        self
    }

    pub(super) fn check(&self, task: Subject<'_>) -> Result<(), ConfigError> {
        let wait = self.backoff.base();
        task.require(!wait.is_zero(), "restart", wait, "the wait must be longer than zero")?;
        task.backoff("restart", &self.backoff)?;
        task.time("stable_after", self.stable_after)?;
        task.count("at_most", self.at_most, Most::NONE)
    }

    pub(super) fn machine(&self) -> Restarts {
        Restarts::new(self.backoff, self.stable_after, self.at_most)
    }
}

impl Default for Restart {
    fn default() -> Restart {
        Restart::new(Backoff::exponential(Duration::from_millis(100), Duration::from_secs(30)))
    }
}

impl From<Backoff> for Restart {
    fn from(backoff: Backoff) -> Restart {
        Restart::new(backoff)
    }
}
