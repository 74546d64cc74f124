use std::time::Duration;

use super::{ErrorRef, Event};
use crate::name::Name;
use crate::observe::interest::Interest;

/// The events of the tasks of a runner.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum RunnerEvent<'a> {
    /// A task of a runner failed. Reported by the task, after its future was dropped.
    #[non_exhaustive]
    TaskFailed {
        /// The task.
        name: &'a Name,
        /// Its error, or the message of its panic.
        error: ErrorRef<'a>,
        /// Whether it panicked.
        panicked: bool,
        /// The wait before it is run again, for supervised and periodic tasks. Absent if it is not run again, and then
        /// the run ends.
        again_in: Option<Duration>,
    },
    /// A stream that a task follows has come to its end without an error.
    #[non_exhaustive]
    StreamEnded {
        /// The task.
        name: &'a Name,
        /// The wait before it connects again.
        again_in: Duration,
    },
    /// A task that follows a stream has skipped an event that could not be applied.
    #[non_exhaustive]
    EventSkipped {
        /// The task.
        name: &'a Name,
        /// Why, and where.
        error: ErrorRef<'a>,
    },
    /// † A runner accepted a task, which is about to begin.
    #[non_exhaustive]
    TaskStarted {
        /// The task.
        name: &'a Name,
    },
    /// † A task of a runner has ended for good, for whatever reason. Reported once for each task that was started.
    #[non_exhaustive]
    TaskEnded {
        /// The task.
        name: &'a Name,
    },
}

impl RunnerEvent<'_> {
    /// The interest that an observer needs to receive this event.
    #[must_use]
    pub fn interest(&self) -> Interest {
        match self {
            RunnerEvent::TaskFailed { .. } | RunnerEvent::StreamEnded { .. } | RunnerEvent::EventSkipped { .. } => {
                Interest::Changes
            }
            RunnerEvent::TaskStarted { .. } | RunnerEvent::TaskEnded { .. } => Interest::Calls,
        }
    }
}

impl<'a> From<RunnerEvent<'a>> for Event<'a> {
    #[inline]
    fn from(event: RunnerEvent<'a>) -> Event<'a> {
        Event::Runner(event)
    }
}
