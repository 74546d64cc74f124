//! The seam between a queue and where its jobs are: what an engine does, one step a method.
//!
//! An engine holds the jobs of one queue. By its own clock (the *row clock*), in the step that acts, it decides what is
//! due and whose lease is over. Each step happens wholly or not at all: there is never a moment with two live copies of
//! a job, or none. What it is asked, how often and with which limits of time is a queue's and its consumer's to see to.
//!
//! [`Producer`] takes jobs, [`Source`] hands them out and settles them, [`DeadLetters`] has those that are given up. A
//! [`QueueStore`] is all three. The `conformance` suite (feature `test-util`) holds an engine to it.
//!
//! # Cancellation
//! Each future may be dropped at any await: what it asked for happens wholly or not at all, and no lock, transaction or
//! half-read answer is left behind. Jobs that a dropped [`Source::receive`] was handed come back when their visibility
//! is over.
//!
//! # Errors
//! Each method fails with [`StoreError`] in the class that tells what can be done about it.

mod in_transaction;
mod shown;

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use seaworthy_store::StoreError;

use crate::headers::Headers;
use crate::job_id::JobId;

pub use in_transaction::TransactionalProducer;

/// When a job may be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Due {
    /// As soon as there is room.
    Now,
    /// So long after it was accepted, by the row clock.
    After(Duration),
    /// At this time since 1970, by the row clock.
    At(Duration),
}

/// A job to be accepted.
#[derive(Clone, PartialEq, Eq)]
pub struct NewJob {
    /// What tells it from all others of the queue.
    pub id: JobId,
    /// Of its body.
    pub kind: Box<str>,
    /// Of its body.
    pub version: u16,
    /// What travels with it.
    pub headers: Headers,
    /// The body, as bytes.
    pub body: Bytes,
    /// When it may be delivered.
    pub due: Due,
}

/// What became of a job that was enqueued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Entry {
    /// It is in the queue.
    Accepted,
    /// A job of this id is live, or dead, or is remembered: nothing was changed.
    Already,
}

/// What became of a cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cancelled {
    /// The job is gone, and was not running.
    Removed,
    /// It is running; nothing was changed.
    Running,
    /// There is no such job.
    Unknown,
}

/// What a consumer asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Take {
    /// 128 random bits of this very asking.
    pub owner: u128,
    /// The asking before, under the same owner, had no answer: jobs that it was handed and whose leases are live are
    /// given again, first. Their leases begin anew, and they cost nothing more.
    pub repeats: bool,
    /// At most so many.
    pub room: u32,
    /// How long the jobs are invisible to others.
    pub visibility: Duration,
    /// A job that has been delivered so often is not delivered any more, but dies.
    pub max_deliveries: u32,
}

/// A job that is handed out.
#[derive(Clone, PartialEq, Eq)]
pub struct Taken {
    /// As accepted.
    pub id: JobId,
    /// As accepted.
    pub kind: Box<str>,
    /// As accepted.
    pub version: u16,
    /// As accepted.
    pub headers: Headers,
    /// As accepted.
    pub body: Bytes,
    /// When it was accepted, since 1970 by the row clock.
    pub accepted_at: Duration,
    /// How often it has been tried, this time included: 1 for the first.
    pub attempt: u32,
    /// Grows with each delivery.
    pub fence: u64,
    /// How often its lease was over before it was settled.
    pub abandoned: u32,
    /// Since the first of its last deferrals in a row, by the row clock.
    pub deferred_for: Option<Duration>,
    /// Since it was due.
    pub waited: Duration,
}

/// What a taking comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Abandoned jobs first, then what is due, oldest first. No more than there was room for.
    pub jobs: Vec<Taken>,
    /// What had been delivered too often, and is dead now.
    pub died: Vec<JobId>,
    /// Until the next job is due, if that is known and none was left that is due now.
    pub next_due: Option<Duration>,
}

/// A delivery, as whoever settles it knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Holder {
    /// The job.
    pub id: JobId,
    /// Of the asking that it was handed to.
    pub owner: u128,
    /// Of the delivery.
    pub fence: u64,
}

/// How a delivery ends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Settlement {
    /// It is done, and gone. Its id is remembered for so long.
    Ack {
        /// None: it can be enqueued again at once.
        remember: Option<Duration>,
    },
    /// It failed, and is due again after this.
    Retry {
        /// By the row clock, from now.
        after: Duration,
        /// The text of its error, at most 1 KiB.
        reason: Box<str>,
    },
    /// Nothing was tried: the attempt is given back, and it is due again after this.
    Defer {
        /// By the row clock, from now.
        after: Duration,
    },
    /// It was not begun, or was cut off by ourselves: the attempt is given back, and it is due as it was, so that it
    /// keeps its place.
    Release,
    /// It will never work.
    Dead {
        /// Why, at most 1 KiB.
        reason: Box<str>,
    },
}

/// Whether a delivery was still its holder's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a delivery that was lost is somebody else's"]
pub enum Held {
    /// It was, and what was asked for is done.
    Yes,
    /// It was not, and nothing was changed.
    Lost,
}

impl Held {
    /// Whether it was.
    #[must_use]
    pub fn is_yes(self) -> bool {
        self == Held::Yes
    }
}

/// How many jobs a queue has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Due, and not running.
    pub ready: u64,
    /// Due later.
    pub later: u64,
    /// Handed out.
    pub running: u64,
    /// Dead.
    pub dead: u64,
    /// Since the oldest of the ready ones was due; zero if there is none.
    pub oldest_ready: Duration,
}

/// A job that was given up.
#[derive(Clone, PartialEq, Eq)]
pub struct DeadJob {
    /// As accepted.
    pub id: JobId,
    /// As accepted.
    pub kind: Box<str>,
    /// As accepted.
    pub version: u16,
    /// As accepted; `redriven` counts how often it was given another chance.
    pub headers: Headers,
    /// As accepted.
    pub body: Bytes,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it died.
    pub reason: Box<str>,
    /// Since 1970, by the row clock.
    pub accepted_at: Duration,
    /// Since 1970, by the row clock.
    pub died_at: Duration,
}

/// Takes jobs.
pub trait Producer: Clone + Send + Sync + 'static {
    /// Accepts all of them, or none: [`Already`](Entry::Already) is no reason for none. At most 1,000, no id twice.
    ///
    /// # Errors
    /// [`Full`](seaworthy_store::ErrorClass::Full) if the queue would have more than `max_len` jobs that are not dead,
    /// or the store has no room.
    fn enqueue(
        &self,
        jobs: &[NewJob],
        max_len: Option<u64>,
    ) -> impl Future<Output = Result<Vec<Entry>, StoreError>> + Send;

    /// Removes a job that is not running.
    fn cancel(&self, id: &JobId) -> impl Future<Output = Result<Cancelled, StoreError>> + Send;
}

/// Hands jobs out, and settles them.
pub trait Source: Clone + Send + Sync + 'static {
    /// Hands out jobs that are due, and those whose lease is over; waits for the first for as long as `block`.
    fn receive(&self, take: &Take, block: Duration) -> impl Future<Output = Result<Received, StoreError>> + Send;

    /// Moves the end of each lease to one visibility from now, where owner and fence are the job's and the lease is not
    /// over.
    fn extend(
        &self,
        holders: &[Holder],
        visibility: Duration,
    ) -> impl Future<Output = Result<Vec<Held>, StoreError>> + Send;

    /// Ends a delivery, where owner and fence are the job's.
    fn settle(&self, holder: &Holder, settlement: &Settlement)
    -> impl Future<Output = Result<Held, StoreError>> + Send;

    /// How many jobs there are.
    fn depth(&self) -> impl Future<Output = Result<Depth, StoreError>> + Send;
}

/// Has the jobs that were given up.
pub trait DeadLetters: Clone + Send + Sync + 'static {
    /// At most so many, in the order in which they died, after this one.
    fn list(&self, after: Option<&JobId>, most: u32) -> impl Future<Output = Result<Vec<DeadJob>, StoreError>> + Send;

    /// One.
    fn get(&self, id: &JobId) -> impl Future<Output = Result<Option<DeadJob>, StoreError>> + Send;

    /// Moves one back into the queue, due at once, with no attempt made and its header `redriven` counted up. False if
    /// it is not there.
    fn redrive(&self, id: &JobId) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Removes one for good. False if it is not there.
    fn discard(&self, id: &JobId) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Removes those that died longer ago than `keep`, and the oldest beyond `most`. How many.
    fn sweep(&self, keep: Option<Duration>, most: Option<u64>) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

/// All that a queue needs of its engine.
pub trait QueueStore: Producer + Source + DeadLetters {}

impl<S: Producer + Source + DeadLetters> QueueStore for S {}
