use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::error::{BoxError, chain};
use crate::name::Name;

/// Why a part of a run failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum FailureCause {
    /// It returned this error.
    Error(BoxError),
    /// It panicked, with this message.
    Panicked(String),
    /// A hook took longer than its time limit, and was abandoned.
    #[non_exhaustive]
    TimedOut {
        /// The time limit. Zero if the grace period was over before its turn; it was polled once then.
        after: Duration,
    },
    /// It was still running when its time was up, and was aborted.
    Aborted,
    /// It was aborted but is still running, because it does not yield its thread.
    Blocking,
}

impl fmt::Display for FailureCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FailureCause::Error(error) => write!(f, "failed: {}", chain::in_words(&**error)),
            FailureCause::Panicked(message) => write!(f, "panicked: {message}"),
            FailureCause::TimedOut { after } if after.is_zero() => f.write_str("had no time left"),
            FailureCause::TimedOut { after } => write!(f, "timed out after {after:?}"),
            FailureCause::Aborted => f.write_str("was aborted"),
            FailureCause::Blocking => f.write_str("blocks its thread and could not be aborted"),
        }
    }
}

/// One thing that went wrong in a run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// A startup step.
    #[non_exhaustive]
    Startup {
        /// The step's name.
        name: Name,
        /// Why it failed.
        cause: FailureCause,
    },
    /// A task.
    #[non_exhaustive]
    Task {
        /// The task's name.
        name: Name,
        /// Why it failed.
        cause: FailureCause,
    },
    /// An `on_stop` hook.
    #[non_exhaustive]
    OnStop {
        /// The hook's name.
        name: Name,
        /// Why it failed.
        cause: FailureCause,
    },
    /// A `cleanup` hook.
    #[non_exhaustive]
    Cleanup {
        /// The hook's name.
        name: Name,
        /// Why it failed.
        cause: FailureCause,
    },
    /// Requests were still in flight when the grace period was over.
    #[non_exhaustive]
    InFlight {
        /// How many.
        requests: u64,
    },
    /// A second signal cut the shutdown short.
    Forced,
}

impl Failure {
    /// The name of the step, task or hook, if there is one.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        self.part().map(|(_, name, _)| name)
    }

    /// Why it failed, if there is more to say.
    #[must_use]
    pub fn cause(&self) -> Option<&FailureCause> {
        self.part().map(|(_, _, cause)| cause)
    }

    fn part(&self) -> Option<(&'static str, &Name, &FailureCause)> {
        match self {
            Failure::Startup { name, cause } => Some(("startup step", name, cause)),
            Failure::Task { name, cause } => Some(("task", name, cause)),
            Failure::OnStop { name, cause } => Some(("stop hook", name, cause)),
            Failure::Cleanup { name, cause } => Some(("cleanup", name, cause)),
            Failure::InFlight { .. } | Failure::Forced => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.part(), self) {
            (Some((part, name, cause)), _) => write!(f, "{part} `{name}` {cause}"),
            (None, Failure::InFlight { requests: 1 }) => f.write_str("1 request was still in flight"),
            (None, Failure::InFlight { requests }) => write!(f, "{requests} requests were still in flight"),
            (None, _) => f.write_str("a second signal cut the shutdown short"),
        }
    }
}

/// The text already includes the error that the part returned, with its sources, so it is not a source as well, or it
/// would be printed twice. [`cause`](Failure::cause) has it.
impl StdError for Failure {}

/// Everything that went wrong in a run, in order: what began the shutdown first, then what failed while it was in
/// progress. Tasks that were aborted together are in the order in which they were started.
///
/// Its text is one line, or with `{:#}` one line for each failure.
#[derive(Debug)]
pub struct RunError {
    first: Failure,
    more: Vec<Failure>,
}

impl RunError {
    /// None if there are no failures.
    pub(super) fn of(failures: Vec<Failure>) -> Option<RunError> {
        let mut failures = failures.into_iter();
        Some(RunError { first: failures.next()?, more: failures.collect() })
    }

    /// What went wrong first.
    #[must_use]
    pub fn first(&self) -> &Failure {
        &self.first
    }

    /// Everything that went wrong; never empty.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        std::iter::once(&self.first).chain(&self.more)
    }

    /// Everything that went wrong, by value.
    #[must_use]
    pub fn into_failures(self) -> Vec<Failure> {
        std::iter::once(self.first).chain(self.more).collect()
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let between = if f.alternate() { "\n" } else { "; " };
        self.first.fmt(f)?;
        self.more.iter().try_for_each(|failure| write!(f, "{between}{failure}"))
    }
}

/// The text already includes all errors with their sources, so none of them is a source as well.
/// [`failures`](RunError::failures) has them.
impl StdError for RunError {}
