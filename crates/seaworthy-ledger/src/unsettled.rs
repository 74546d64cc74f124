use std::fmt;

use crate::claim::Claim;
use crate::error::LedgerError;
use crate::memory::Memory;
use crate::store::{LedgerStore, Settlement};

/// A claim that could not be settled, with the reason. It is still the holder's.
///
/// Dropped, it is what a dropped [`Claim`] is. Whether the store has recorded the settlement is unknown if the error is
/// [`Unavailable`](crate::ErrorClass::Unavailable); [`keep_trying`](Self::keep_trying) is for that.
pub struct Unsettled<S: LedgerStore = Memory>(Box<UnsettledParts<S>>);

struct UnsettledParts<S: LedgerStore> {
    claim: Claim<S>,
    settlement: Settlement,
    error: LedgerError,
}

impl<S: LedgerStore> Unsettled<S> {
    pub(crate) fn new(claim: Claim<S>, settlement: Settlement, error: LedgerError) -> Unsettled<S> {
        Unsettled(Box::new(UnsettledParts { claim, settlement, error }))
    }

    /// Why it could not be settled.
    #[must_use]
    pub fn error(&self) -> &LedgerError {
        &self.0.error
    }

    /// The claim and the reason, to settle it otherwise.
    pub fn into_parts(self) -> (Claim<S>, LedgerError) {
        let parts = *self.0;
        (parts.claim, parts.error)
    }

    /// Goes on in the background to the end of the lease, for a store that cannot be reached. A settlement that is too
    /// large, or that the store refuses, is not tried again: then the claim is left to its lease.
    pub fn keep_trying(self) {
        let UnsettledParts { mut claim, settlement, error } = *self.0;
        claim.begin();
        if error.is_unavailable() {
            claim.settle_in_background(settlement);
        }
    }
}

impl<S: LedgerStore> fmt::Display for Unsettled<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.error, f)
    }
}

impl<S: LedgerStore> fmt::Debug for Unsettled<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsettled").field("claim", &self.0.claim).field("error", &self.0.error).finish_non_exhaustive()
    }
}

impl<S: LedgerStore> std::error::Error for Unsettled<S> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.error.source()
    }
}
