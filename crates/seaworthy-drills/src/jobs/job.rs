use serde::{Deserialize, Serialize};

/// What all queues of drills are called.
pub(super) const QUEUE: &str = "drill";

/// What a job of a drill does.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Work {
    /// How long it takes, in milliseconds.
    pub(super) millis: u64,
    pub(super) end: End,
}

/// How the work of a job ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum End {
    Well,
    Error,
    Panic,
    /// It aborts its process.
    Abort,
    /// It is dead at once, and well when it was redriven.
    WellRedriven,
}

impl seaworthy_queue::Job for Work {
    const KIND: &str = "work";
}

impl Work {
    pub(super) const fn well(millis: u64) -> Work {
        Work { millis, end: End::Well }
    }
}
