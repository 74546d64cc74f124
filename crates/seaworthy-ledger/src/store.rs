//! The seam between the ledger and where its rows are: what an engine does, one statement a method.
//!
//! An engine keeps one row for each [`Key`], and decides by its own clock (the *row clock*), in the statement that
//! acts, what has expired. It compares the owner wherever it compares a fence. It is asked by a
//! [`Ledger`](crate::Ledger), which sees to limits of time, renewing, and what goes on in the background; an engine
//! sees to being atomic, and to being cancelled anywhere. The `conformance` suite (feature `test-util`) holds an engine
//! to it.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use seaworthy_store::StoreError;

use crate::completion_statement::CompletionStatement;
use crate::held_answer::Held;
use crate::key::Key;
use crate::record::{Entry, Record};

/// Who holds a claim: the fence, which grows by one with every grant of a key while its row is kept, and 128 random
/// bits, because fences start again after retention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The key that is held.
    pub key: Key,
    /// The number of the grant.
    pub fence: u64,
    /// Whose it is.
    pub owner: u128,
}

/// A claim that is asked for.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The key.
    pub key: Key,
    /// Who asks: 96 random bits, and in the lower 32 the number of this asking, from 0. A row that runs under an
    /// earlier asking of the same is granted again, and is not counted again, because the answer to that was lost. One
    /// that runs under this asking or a later one is busy, so that a request that was given up, and is carried out late
    /// or twice, takes nothing away.
    pub owner: u128,
    /// How long the lease is, by the row clock from when it is granted.
    pub lease: Duration,
    /// Compared with the row's, unless either has none. At most 64 bytes. With the grant it becomes the row's; without
    /// one, the row keeps what it has.
    pub fingerprint: Option<Bytes>,
    /// A running row of a lower rank, or of none, is taken as if its lease were over. With the grant it becomes the
    /// row's, none too.
    pub rank: Option<i64>,
}

impl Attempt {
    /// Whether this asks again for what an earlier asking, under `owner`, may have been granted.
    #[must_use]
    pub fn repeats(&self, owner: u128) -> bool {
        owner >> 32 == self.owner >> 32 && owner < self.owner
    }
}

/// The answer to an [`Attempt`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// The key was unknown, failed, running with its lease over or a lower rank, or running under an earlier
    /// asking of the same: the row is now running under the owner, with this fence.
    Granted {
        /// One more than the last, and at least 1.
        fence: u64,
        /// How often the key was granted, this time included, less those that were released and those whose answer was
        /// lost.
        grants: u32,
    },
    /// Somebody else's lease is live, or the row is locked by a transaction.
    Busy {
        /// To the end of the lease, by the row clock.
        left: Duration,
    },
    /// It was done.
    Done(Record),
    /// It is done or running, and has another fingerprint.
    Mismatch,
}

/// How a claim ends.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Settlement {
    /// Final, with a result.
    Done {
        /// The result.
        result: Bytes,
        /// What it is.
        content_type: Cow<'static, str>,
        /// How long it is kept; for ever if there is none.
        keep: Option<Duration>,
    },
    /// Final, without a result.
    DoneNotKept {
        /// How long it is kept.
        keep: Option<Duration>,
    },
    /// Final, as a failure that is replayed.
    FailedForGood {
        /// At most 1,024 bytes.
        reason: Box<str>,
        /// How long it is kept.
        keep: Option<Duration>,
    },
    /// Free to be claimed again, and nothing was gained.
    Failed {
        /// At most 1,024 bytes.
        reason: Box<str>,
        /// How long it is kept.
        keep: Option<Duration>,
    },
    /// Free to be claimed again; the grant is taken back from the count, because the work was not begun. The row is in
    /// the state failed, without a reason.
    Released {
        /// How long it is kept.
        keep: Option<Duration>,
    },
}

/// What became of one renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Renewal {
    /// The lease ends one lease from now.
    Renewed,
    /// The fence or the owner is another, the row is not running, or the lease was over although nobody took it.
    Lost,
    /// The row is ours and locked by a transaction, so it was left alone; ask again soon.
    Locked,
}

/// What is stored for one step of a claim's work.
#[derive(Clone, PartialEq, Eq)]
pub enum StepKept {
    /// What is stored now: what was given, or what was there before, whoever wrote it.
    Stored(Bytes),
    /// The claim was lost, and nothing was stored, whether or not something was there before.
    Lost,
}

/// Where a ledger's rows are.
///
/// # Cancellation
/// Each future may be dropped at any await. What it asked for then happens wholly or not at all, and no lock, open
/// transaction or half-read answer is left behind for the next who asks.
///
/// # Errors
/// Each method fails with [`StoreError`] in the class that tells what can be done about it. An engine that can see that
/// a statement did nothing because others interfered (a serialization failure, a deadlock) repeats it by itself, up to
/// three times.
pub trait LedgerStore: Clone + Send + Sync + 'static {
    /// Claims a key, in one atomic step.
    fn claim(&self, attempt: &Attempt) -> impl Future<Output = Result<Answer, StoreError>> + Send;

    /// Moves the end of each lease to `lease` from now, by the row clock, if it is the holder's and not over. One
    /// statement for up to 500; the answers are in the order asked.
    fn renew(&self, leases: &[(Holder, Duration)]) -> impl Future<Output = Result<Vec<Renewal>, StoreError>> + Send;

    /// Ends a claim if fence and owner are the row's. A lease that is over but was not taken is settled all the same:
    /// nobody else has begun. A row that was settled already under the same fence and owner is left as it is: that is
    /// [`Held::Yes`] if both settlements are final, or both are not, because the answer to the first was lost, and
    /// [`Held::Lost`] else.
    fn settle(&self, holder: &Holder, settlement: &Settlement)
    -> impl Future<Output = Result<Held, StoreError>> + Send;

    /// Reads what is known of a key, without a lock.
    fn lookup(&self, key: &Key) -> impl Future<Output = Result<Option<Entry>, StoreError>> + Send;

    /// Removes up to `most` done and failed rows that have been kept for as long as they were to be, oldest first, with
    /// their steps; rows that others are removing are passed over. Gives the number.
    fn sweep(&self, most: u32) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// How many rows run past their lease.
    fn stale(&self) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Reads a step's result, whoever stored it.
    fn step(&self, key: &Key, name: &str) -> impl Future<Output = Result<Option<Bytes>, StoreError>> + Send;

    /// Stores a step's result if the key runs under this fence and owner, and none is stored yet. Steps go with their
    /// row, and when a failed key is claimed with another fingerprint.
    fn keep_step(
        &self,
        holder: &Holder,
        name: &str,
        result: &Bytes,
    ) -> impl Future<Output = Result<StepKept, StoreError>> + Send;
}

/// A store that can take part in a transaction of the caller's, so that the work there and the record of it are
/// committed together, or not at all.
///
/// # Cancellation
/// The caller's transaction rolls back as the driver does.
///
/// # Errors
/// As [`LedgerStore`], but nothing is repeated: after an error the transaction can only be rolled back.
pub trait TransactionalStore: LedgerStore {
    /// What the caller's transaction runs on.
    type Connection: Send;

    /// Ends a claim. The row is locked until the transaction ends; rolled back, the claim runs as before.
    ///
    /// [`Held::Lost`] means that the caller must roll back. It is also the answer for a claim that is settled already,
    /// even by this holder: what the transaction did beside it would otherwise be done twice.
    fn complete_in(
        &self,
        connection: &mut Self::Connection,
        holder: &Holder,
        settlement: &Settlement,
    ) -> impl Future<Output = Result<Held, StoreError>> + Send;

    /// Records a key as done, in one go and without a lease, for work that is wholly inside that transaction.
    /// [`Answer::Granted`] means that it is the first, and gives the fence that [`store_in`](Self::store_in) needs. The
    /// attempt's lease and rank mean nothing.
    ///
    /// It waits for another transaction that records the same key, and then tells its outcome. A key that failed or
    /// whose lease is over is taken; one that runs is [`Answer::Busy`].
    fn claim_in(
        &self,
        connection: &mut Self::Connection,
        attempt: &Attempt,
        keep: Option<Duration>,
    ) -> impl Future<Output = Result<Answer, StoreError>> + Send;

    /// Adds a result to what [`claim_in`](Self::claim_in) recorded, before the commit. For anybody else it is
    /// [`Held::Lost`] and changes nothing.
    fn store_in(
        &self,
        connection: &mut Self::Connection,
        holder: &Holder,
        result: &Bytes,
        content_type: &str,
    ) -> impl Future<Output = Result<Held, StoreError>> + Send;

    /// The text of the statement that completes a claim: see [`CompletionStatement`].
    fn completion_text(&self) -> &str;

    /// That statement and its parameters, for other drivers.
    fn completion(
        &self,
        holder: &Holder,
        result: Bytes,
        content_type: &str,
        keep: Option<Duration>,
    ) -> CompletionStatement {
        CompletionStatement::new(self.completion_text(), holder, result, content_type, keep)
    }
}

/// The length in place of the bytes.
impl fmt::Debug for Settlement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, reason, keep) = match self {
            Settlement::Done { result, content_type, keep } => {
                let result = format_args!("{} bytes of {content_type:?}", result.len());
                return f.debug_struct("Done").field("result", &result).field("keep", keep).finish();
            }
            Settlement::DoneNotKept { keep } => ("DoneNotKept", None, keep),
            Settlement::FailedForGood { reason, keep } => ("FailedForGood", Some(reason), keep),
            Settlement::Failed { reason, keep } => ("Failed", Some(reason), keep),
            Settlement::Released { keep } => ("Released", None, keep),
        };
        f.debug_struct(name).field("reason", &reason).field("keep", keep).finish()
    }
}

/// The length in place of the bytes.
impl fmt::Debug for StepKept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StepKept::Stored(result) => write!(f, "Stored({} bytes)", result.len()),
            StepKept::Lost => f.write_str("Lost"),
        }
    }
}
