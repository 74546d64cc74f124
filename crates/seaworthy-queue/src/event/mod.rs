//! What is reported to observers.

mod extension;

use std::time::Duration;

use seaworthy::Name;
use seaworthy_store::ErrorClass;

use crate::job_id::JobId;
use crate::store::Depth;

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Done.
    Ack,
    /// It is tried again.
    Retry,
    /// It was not tried, and is delivered again.
    Defer,
    /// It was cut off by a shutdown, and is delivered again.
    Release,
    /// It is a dead letter.
    Dead,
}

impl Outcome {
    /// As labels say it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Ack => "ack",
            Outcome::Retry => "retry",
            Outcome::Defer => "defer",
            Outcome::Release => "release",
            Outcome::Dead => "dead",
        }
    }
}

/// What queues and their consumers report to an [`Observer`](seaworthy::Observer), as an extension's event of the
/// component `queue`. Bodies are never shown.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Jobs were handed out. For observers of calls.
    Received {
        /// The queue.
        queue: &'a Name,
        /// How many.
        jobs: usize,
    },
    /// A call begins. For observers of calls.
    Started {
        /// The queue.
        queue: &'a Name,
        /// The job.
        id: &'a JobId,
        /// 1 for the first.
        attempt: u32,
        /// Since it was due.
        waited: Duration,
    },
    /// A delivery has ended. For observers of calls.
    Settled {
        /// The queue.
        queue: &'a Name,
        /// The job.
        id: &'a JobId,
        /// How.
        outcome: Outcome,
        /// Since its call began.
        elapsed: Duration,
        /// Why it is tried again; empty where it is not.
        reason: &'a str,
    },
    /// A delivery was not the consumer's any more: it could not be kept in time, or somebody else has it.
    Lost {
        /// The queue.
        queue: &'a Name,
        /// The job.
        id: &'a JobId,
    },
    /// A job is a dead letter now.
    Died {
        /// The queue.
        queue: &'a Name,
        /// The job.
        id: &'a JobId,
        /// Why.
        reason: &'a str,
    },
    /// There is no room for jobs, as a gate says.
    GateClosed {
        /// The queue.
        queue: &'a Name,
    },
    /// There is room again.
    GateOpened {
        /// The queue.
        queue: &'a Name,
        /// How long there was none.
        closed: Duration,
    },
    /// The store gives no answer.
    StoreDown {
        /// The queue.
        queue: &'a Name,
        /// The class of its error.
        class: ErrorClass,
    },
    /// The store gave no answer, as before. For observers of calls.
    StillDown {
        /// The queue.
        queue: &'a Name,
        /// The class of its error.
        class: ErrorClass,
        /// Since the first that was not answered.
        down: Duration,
    },
    /// The store answers again.
    StoreUp {
        /// The queue.
        queue: &'a Name,
        /// For how long it did not.
        down: Duration,
    },
    /// A call should have ended, and cannot be dropped, because it blocks its thread. Its job is kept for one
    /// visibility more.
    Stuck {
        /// The queue.
        queue: &'a Name,
        /// The job.
        id: &'a JobId,
        /// Since its timeout.
        since: Duration,
    },
    /// What the store has, as it was last read.
    Measured {
        /// The queue.
        queue: &'a Name,
        /// The numbers.
        depth: Depth,
    },
    /// A dead letter is in the queue again, because somebody has said so.
    Redriven {
        /// The queue.
        queue: &'a Name,
        /// The job.
        id: &'a JobId,
    },
    /// Dead letters were removed, because they were too old or too many.
    Swept {
        /// The queue.
        queue: &'a Name,
        /// How many.
        jobs: u64,
    },
}
