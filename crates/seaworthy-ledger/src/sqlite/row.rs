//! What a claim comes to, from the row that was looked at and the time. Nothing here reads a clock or a file.

use std::time::Duration;

use bytes::Bytes;
use seaworthy_store::sqlite::Lease;
use seaworthy_store::{ErrorClass, StoreError, micros};

use crate::record::{EntryState, Kept, Record};
use crate::store::{Answer, Attempt};

pub(crate) const RUNNING: i64 = 0;
pub(crate) const DONE: i64 = 1;
pub(crate) const FAILED: i64 = 2;

/// The columns of `look.sql`, in its order.
pub(crate) type Columns = (
    i64,
    i64,
    Vec<u8>,
    i64,
    i64,
    Option<i64>,
    Option<i64>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<String>,
    Option<String>,
);

/// A row as it was looked at.
pub(crate) struct Looked {
    fence: i64,
    state: i64,
    owner: Vec<u8>,
    lease: Lease,
    finished_at: Option<i64>,
    rank: Option<i64>,
    fingerprint: Option<Vec<u8>>,
    result: Option<Vec<u8>>,
    content_type: Option<String>,
    reason: Option<String>,
}

impl Looked {
    fn is_of_earlier_asking(&self, attempt: &Attempt) -> bool {
        <[u8; 16]>::try_from(&*self.owner).is_ok_and(|owner| attempt.repeats(u128::from_be_bytes(owner)))
    }
}

/// What is to be done about a claim.
pub(crate) enum Decision {
    /// Nothing, but to answer.
    Answer(Answer),
    /// To grant it.
    Grant {
        /// Whether it is one more, and not the same once more because the answer was lost.
        counts: bool,
        /// Whether what was stored for its steps is another's.
        forgets_steps: bool,
    },
}

impl Looked {
    pub(crate) fn new(columns: Columns) -> Looked {
        let (fence, state, owner, from, until, finished_at, rank, fingerprint, result, content_type, reason) = columns;
        let lease = Lease { from, until };
        Looked { fence, state, owner, lease, finished_at, rank, fingerprint, result, content_type, reason }
    }

    /// What is left of the lease, if it runs and its lease is live.
    pub(crate) fn runs_for(&self, now: i64) -> Option<Duration> {
        if self.state == RUNNING { self.lease.left(now) } else { None }
    }

    /// What was kept, if it is done.
    pub(crate) fn record(self) -> Result<Option<Record>, StoreError> {
        if self.state != DONE {
            return Ok(None);
        }
        let kept = match (self.result, self.reason) {
            (_, Some(reason)) => Kept::Failed(reason.into()),
            (Some(result), None) => {
                let content_type = self.content_type.unwrap_or_default();
                Kept::Result { bytes: Bytes::from(result), content_type: content_type.into() }
            }
            (None, None) => Kept::Nothing,
        };
        let finished_at = self.finished_at.ok_or_else(|| corrupt("claim", "a row that is done has no end"))?;
        Ok(Some(Record { fence: number("claim", self.fence)?, finished_at: micros::moment(finished_at), kept }))
    }

    fn is_mismatch(&self, attempt: &Attempt) -> bool {
        matches!((&self.fingerprint, &attempt.fingerprint), (Some(ours), Some(theirs)) if ours != theirs)
    }
}

/// What a claim comes to at `now`.
pub(crate) fn decide(looked: Option<Looked>, attempt: &Attempt, now: i64) -> Result<Decision, StoreError> {
    // Steps that are there without a row are what somebody left who removed it by hand.
    let Some(row) = looked else { return Ok(Decision::Grant { counts: true, forgets_steps: true }) };
    if !(RUNNING..=FAILED).contains(&row.state) {
        return Err(corrupt("claim", "a state that this version does not know"));
    }
    let mismatch = row.is_mismatch(attempt);
    if row.state == FAILED {
        // Whatever it was asked with before came to nothing.
        return Ok(Decision::Grant { counts: true, forgets_steps: mismatch });
    }
    if mismatch {
        return Ok(Decision::Answer(Answer::Mismatch));
    }
    let answer_was_lost = row.state == RUNNING && row.is_of_earlier_asking(attempt);
    match row.runs_for(now) {
        // None is lower than any rank.
        Some(left) if !answer_was_lost && attempt.rank <= row.rank => Ok(Decision::Answer(Answer::Busy { left })),
        _ => match row.record()? {
            Some(record) => Ok(Decision::Answer(Answer::Done(record))),
            None => Ok(Decision::Grant { counts: !answer_was_lost, forgets_steps: false }),
        },
    }
}

/// The state of an entry.
pub(crate) fn entry_state(state: i64, lease: Lease, now: i64) -> Result<EntryState, StoreError> {
    match state {
        RUNNING => Ok(EntryState::Running { left: lease.left(now).unwrap_or_default() }),
        DONE => Ok(EntryState::Done),
        FAILED => Ok(EntryState::Failed),
        _ => Err(corrupt("lookup", "a state that this version does not know")),
    }
}

/// A column that is never negative.
pub(crate) fn number<T: TryFrom<i64>>(asked: &'static str, column: i64) -> Result<T, StoreError> {
    T::try_from(column).map_err(|_| corrupt(asked, "a number that is out of its range"))
}

pub(crate) fn corrupt(asked: &'static str, why: &'static str) -> StoreError {
    StoreError::new(ErrorClass::Corrupt, asked, why)
}
