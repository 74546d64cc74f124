use std::time::{Duration, Instant};

use crate::epoch::Epoch;

/// What a [`LeaderGuard`](super::LeaderGuard) is at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeaderStatus {
    /// It does not lead, and asks again and again.
    Follower {
        /// Who leads, as it was last seen. None if nobody is known to.
        leader: Option<String>,
        /// What that one wants to be known.
        hint: Option<String>,
    },
    /// It leads, and its work runs.
    Leading {
        /// The term.
        epoch: Epoch,
        /// When it began.
        since: Instant,
        /// Until when it is valid if no renewal succeeds any more.
        deadline: Instant,
    },
    /// Its work was told to end, and has not.
    Ending,
    /// It does not lead, and the store does not answer.
    Store {
        /// For how long.
        down: Duration,
    },
}
