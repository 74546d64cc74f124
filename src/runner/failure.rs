use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::error::{BoxError, chain};
use crate::name::Name;

/// Why a part of a run did not end well.
#[derive(Debug)]
#[non_exhaustive]
pub enum FailureCause {
    /// It returned this error.
    Error(BoxError),
    /// It panicked, with this message.
    Panicked(String),
    /// A hook was not done in the time it had, and was given up.
    #[non_exhaustive]
    TimedOut {
        /// The time it had. Zero if the grace was over before its turn; then it was polled once.
        after: Duration,
    },
    /// It was still at work when there was no more time for it, and was aborted.
    Aborted,
    /// It was aborted and goes on all the same, because it does not give its thread back.
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
    /// A step of the start.
    #[non_exhaustive]
    Startup {
        /// Which.
        name: Name,
        /// How.
        cause: FailureCause,
    },
    /// A task.
    #[non_exhaustive]
    Task {
        /// Which.
        name: Name,
        /// How.
        cause: FailureCause,
    },
    /// An `on_stop` hook.
    #[non_exhaustive]
    OnStop {
        /// Which.
        name: Name,
        /// How.
        cause: FailureCause,
    },
    /// A `cleanup` hook.
    #[non_exhaustive]
    Cleanup {
        /// Which.
        name: Name,
        /// How.
        cause: FailureCause,
    },
    /// Requests were still in flight when the grace was over.
    #[non_exhaustive]
    InFlight {
        /// How many.
        requests: u64,
    },
    /// A second signal cut the shutdown short.
    Forced,
}

impl Failure {
    /// The name of the part, where it has one.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        self.part().map(|(_, name, _)| name)
    }

    /// How it went wrong, where that needs words.
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

/// Its text tells the error that the part returned and what that stems from, so that is no source, too: it would be told
/// twice. [`cause`](Failure::cause) has it.
impl StdError for Failure {}

/// Everything that went wrong in a run, in the order in which it did: what began the shutdown first, then what failed
/// while it went on. Stragglers that were aborted together stand in the order in which they were started.
///
/// It is written on one line, or with `{:#}` as one line for each.
#[derive(Debug)]
pub struct RunError {
    first: Failure,
    more: Vec<Failure>,
}

impl RunError {
    /// None of nothing.
    pub(super) fn of(failures: Vec<Failure>) -> Option<RunError> {
        let mut failures = failures.into_iter();
        Some(RunError { first: failures.next()?, more: failures.collect() })
    }

    /// What went wrong first.
    #[must_use]
    pub fn first(&self) -> &Failure {
        &self.first
    }

    /// All that went wrong; never empty.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        std::iter::once(&self.first).chain(&self.more)
    }

    /// All that went wrong, to keep.
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

/// Its text tells all errors and what they stem from, so that none of them is a source, too. [`failures`](RunError::failures)
/// has them.
impl StdError for RunError {}
