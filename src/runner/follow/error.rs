use std::time::Duration;

use crate::error::BoxError;

/// A connection's answer that it cannot go on from this cursor, because what came after it is gone.
///
/// Return it from `connect` or from [`EventStream::next`](super::EventStream::next), alone or among the sources of an
/// error of your own: the loop makes a full pass ([`Follow::resync`](super::Follow::resync)) and connects where that
/// says. Without a pass to make, the task fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("what came after the cursor is gone")]
pub struct CursorGone;

/// What went wrong with a stream that is followed. Cursors are in the words of their `Debug`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// There was no connection.
    #[error("no connection")]
    Connect(#[source] BoxError),
    /// The stream broke.
    #[error("the stream broke")]
    Stream(#[source] BoxError),
    /// Neither a connection nor anything on it came for the idle limit.
    #[error("nothing came for {limit:?}")]
    #[non_exhaustive]
    Idle {
        /// The idle limit.
        limit: Duration,
    },
    /// An event could not be applied, and comes again, if this is not the last attempt.
    #[error("the event at {cursor} could not be applied, attempt {attempt} of {attempts}")]
    #[non_exhaustive]
    Apply {
        /// Behind the event.
        cursor: String,
        /// Counted from 1.
        attempt: u32,
        /// The most.
        attempts: u32,
        /// What `apply` returned.
        source: BoxError,
    },
    /// The cursor was refused, and there is no pass to make.
    #[error("what came after the cursor {cursor} is gone, and there is no full pass to make")]
    #[non_exhaustive]
    CursorGone {
        /// The cursor.
        cursor: String,
    },
    /// A full pass failed.
    #[error("a full pass failed")]
    Resync(#[source] BoxError),
}
