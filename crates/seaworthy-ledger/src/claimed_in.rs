use std::time::Duration;

use crate::key::Key;
use crate::record::Record;
use crate::store::Holder;

/// The answer to a claim in the caller's own transaction.
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "only the first may do the work"]
pub enum ClaimedIn {
    /// The work is this transaction's: with its commit it is done, and with its rollback it never was.
    First(FirstClaim),
    /// It was done before.
    Done(Record),
    /// Somebody holds a claim of the key.
    Busy {
        /// To the end of their lease, by the store's clock.
        retry_in: Duration,
    },
    /// The key is running or done under another fingerprint.
    Mismatch,
}

/// A key that is recorded as done in a transaction that has not ended. A result can be added to it.
#[derive(Debug)]
pub struct FirstClaim(pub(crate) Holder);

impl FirstClaim {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.0.key
    }

    /// The number of the grant: see [`ClaimRef::fence`](crate::ClaimRef::fence).
    #[must_use]
    pub fn fence(&self) -> u64 {
        self.0.fence
    }
}
