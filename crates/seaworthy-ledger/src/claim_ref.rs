use std::fmt;
use std::time::Duration;

use seaworthy::Shutdown;

use crate::checkpoints::Checkpoints;
use crate::key::Key;
use crate::ledger::Ledger;
use crate::memory::Memory;
use crate::store::{Holder, LedgerStore};

/// What the work that a [`Claim`](crate::Claim) is for may know of it, and do with it: everything but to settle it.
///
/// # Clone
/// Costs reference counts.
pub struct ClaimRef<S = Memory> {
    pub(crate) ledger: Ledger<S>,
    pub(crate) holder: Holder,
    pub(crate) lease: Duration,
    is_first: bool,
    pub(crate) lost: Option<Shutdown>,
}

impl<S: LedgerStore> ClaimRef<S> {
    pub(crate) fn new(ledger: Ledger<S>, holder: Holder, lease: Duration, is_first: bool) -> ClaimRef<S> {
        ClaimRef { ledger, holder, lease, is_first, lost: None }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.holder.key
    }

    /// A number that grows with every grant of the key, for as long as the ledger keeps its row. Whoever is asked to do
    /// something for this work can refuse one that is lower than one it has seen; not for longer than the retention.
    #[must_use]
    pub fn fence(&self) -> u64 {
        self.holder.fence
    }

    /// Whether nobody has begun this work before.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.is_first
    }

    /// How long the lease is.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.lease
    }

    /// Is requested when the claim is lost, so that the work must stop; none before
    /// [`Claim::hold`](crate::Claim::hold).
    #[must_use]
    pub fn lost(&self) -> Option<&Shutdown> {
        self.lost.as_ref()
    }

    /// 32 hex digits, the same for every claim of the key: to be sent to a remote that honours such keys. The fence is
    /// not in it.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        self.holder.key.idempotency_key()
    }

    /// Steps whose results are kept, so that the next claim of the key does not do them again.
    #[must_use]
    pub fn checkpoints(&self) -> Checkpoints<S> {
        Checkpoints::new(self.clone())
    }
}

impl<S> Clone for ClaimRef<S> {
    fn clone(&self) -> ClaimRef<S> {
        ClaimRef {
            ledger: self.ledger.clone(),
            holder: self.holder.clone(),
            lease: self.lease,
            is_first: self.is_first,
            lost: self.lost.clone(),
        }
    }
}

impl<S> fmt::Debug for ClaimRef<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimRef")
            .field("key", &self.holder.key)
            .field("fence", &self.holder.fence)
            .finish_non_exhaustive()
    }
}
