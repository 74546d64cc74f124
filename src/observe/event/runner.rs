use std::time::Duration;

use super::{ErrorRef, Event};
use crate::name::Name;
use crate::observe::interest::Interest;

/// What happens to the tasks of a runner.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum RunnerEvent<'a> {
    /// A task of a runner failed. Told by the task, after its future was dropped.
    #[non_exhaustive]
    TaskFailed {
        /// The task.
        name: &'a Name,
        /// Its error, or the message of its panic.
        error: ErrorRef<'a>,
        /// Whether it panicked.
        panicked: bool,
        /// The wait before it is run again, for supervised and periodic tasks. Absent if it is not, and then the run
        /// ends.
        again_in: Option<Duration>,
    },
    /// † A runner took in a task, which is about to begin.
    #[non_exhaustive]
    TaskStarted {
        /// The task.
        name: &'a Name,
    },
    /// † A task of a runner has ended for good, however that came about. Told once for each that was started.
    #[non_exhaustive]
    TaskEnded {
        /// The task.
        name: &'a Name,
    },
}

impl RunnerEvent<'_> {
    /// What an observer has to be interested in to be told.
    #[must_use]
    pub fn interest(&self) -> Interest {
        match self {
            RunnerEvent::TaskFailed { .. } => Interest::Changes,
            RunnerEvent::TaskStarted { .. } | RunnerEvent::TaskEnded { .. } => Interest::Calls,
        }
    }
}

impl<'a> From<RunnerEvent<'a>> for Event<'a> {
    fn from(event: RunnerEvent<'a>) -> Event<'a> {
        Event::Runner(event)
    }
}
