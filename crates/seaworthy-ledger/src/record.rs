use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

/// What is kept of work that was done.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The fence of the claim that did it.
    pub fence: u64,
    /// When it was finished, by the store's clock.
    pub finished_at: SystemTime,
    /// How it ended.
    pub kept: Kept,
}

impl Record {
    /// The result, if it was kept.
    #[must_use]
    pub fn result(&self) -> Option<&Bytes> {
        if let Kept::Result { bytes, .. } = &self.kept { Some(bytes) } else { None }
    }
}

/// What a finished piece of work left.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kept {
    /// Its result, and what it is (a media type, or what a codec calls itself; may be empty).
    Result {
        /// The bytes it was completed with.
        bytes: Bytes,
        /// What they are.
        content_type: Cow<'static, str>,
    },
    /// It was done, and its result was not kept.
    Nothing,
    /// It failed for good, with this reason.
    Failed(Box<str>),
}

/// The length in place of the bytes.
impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kept::Result { bytes, content_type } => {
                write!(f, "{} bytes of {content_type:?}", bytes.len())
            }
            Kept::Nothing => f.write_str("not kept"),
            Kept::Failed(reason) => f.debug_tuple("Failed").field(reason).finish(),
        }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("fence", &self.fence).field("kept", &self.kept).finish_non_exhaustive()
    }
}

/// What the ledger knows of a key, as [`Ledger::lookup`](crate::Ledger::lookup) reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// What it is doing.
    pub state: EntryState,
    /// The fence of the last grant.
    pub fence: u64,
    /// How often it was granted for work that was begun.
    pub grants: u32,
    /// When it was first claimed, by the store's clock.
    pub first_at: SystemTime,
    /// When it was last granted.
    pub started_at: SystemTime,
    /// When it was done or failed.
    pub finished_at: Option<SystemTime>,
    /// Why it failed.
    pub reason: Option<Box<str>>,
    /// The length of the result that is kept, in bytes.
    pub result_len: Option<u64>,
}

/// The state of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryState {
    /// Claimed; `left` of the lease is to come, and zero if it is over.
    Running {
        /// What is left of the lease.
        left: Duration,
    },
    /// Final.
    Done,
    /// Free to be claimed again.
    Failed,
}

impl Entry {
    /// For stores.
    #[must_use]
    pub fn new(state: EntryState, fence: u64, grants: u32, first_at: SystemTime, started_at: SystemTime) -> Entry {
        Entry { state, fence, grants, first_at, started_at, finished_at: None, reason: None, result_len: None }
    }
}
