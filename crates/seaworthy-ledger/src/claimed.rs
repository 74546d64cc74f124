use std::fmt;
use std::time::Duration;

use crate::claim::Claim;
use crate::memory::Memory;
use crate::record::Record;
use crate::store::LedgerStore;

/// The answer to a claim.
#[must_use = "a claim that is dropped is given back"]
pub enum Claimed<S: LedgerStore = Memory> {
    /// The work may be done now, by whoever has this.
    Mine(Claim<S>),
    /// Somebody else is at it.
    Busy {
        /// To the end of their lease, by the store's clock: at least 10 ms, at most the lease.
        retry_in: Duration,
    },
    /// It was done. For as long as it is kept everybody gets the same.
    Done(Record),
    /// The key is running or done under another fingerprint.
    Mismatch,
}

impl<S: LedgerStore> fmt::Debug for Claimed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Claimed::Mine(claim) => f.debug_tuple("Mine").field(claim).finish(),
            Claimed::Busy { retry_in } => f.debug_struct("Busy").field("retry_in", retry_in).finish(),
            Claimed::Done(record) => f.debug_tuple("Done").field(record).finish(),
            Claimed::Mismatch => f.write_str("Mismatch"),
        }
    }
}
