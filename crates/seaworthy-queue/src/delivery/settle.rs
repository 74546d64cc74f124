use std::time::Duration;

/// What is to become of a job whose delivery has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Settle {
    /// It is done, and gone.
    Ack,
    /// It failed: it is tried again, after the backoff or after this. At its last attempt it is dead.
    Retry {
        /// None: after the backoff.
        after: Option<Duration>,
        /// Why, for people.
        reason: String,
    },
    /// Nothing was tried, so that this was no attempt: it is delivered again after this, or after the consumer's
    /// deferral.
    Defer {
        /// None: after the consumer's deferral. It is at least 100 ms.
        after: Option<Duration>,
    },
    /// Nothing: somebody else has the job, or will have it when its visibility is over.
    Leave,
    /// It will never work: it goes to the dead letters.
    Dead {
        /// Why, for people.
        reason: String,
    },
}
