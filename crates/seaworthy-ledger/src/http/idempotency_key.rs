use seaworthy::Shutdown;

use crate::key::Key;

/// What a handler may know of the key that its request was sent with, whatever the ledger's store is: an extension of
/// the request. A [`ClaimRef`](crate::ClaimRef) is another, which has [`checkpoints`](crate::ClaimRef::checkpoints).
///
/// # Clone
/// Costs reference counts.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    pub(super) key: Key,
    pub(super) fence: u64,
    pub(super) is_first: bool,
    pub(super) lost: Shutdown,
}

impl IdempotencyKey {
    /// The key, in its scope.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// See [`ClaimRef::fence`](crate::ClaimRef::fence).
    #[must_use]
    pub fn fence(&self) -> u64 {
        self.fence
    }

    /// Whether no handler was called with this key before.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.is_first
    }

    /// 32 hex digits, the same whenever this key is claimed: to be sent on to a remote that honours such keys.
    #[must_use]
    pub fn downstream_key(&self) -> String {
        self.key.idempotency_key()
    }

    /// Is requested when the claim is lost: then the handler is dropped, but not what it has spawned.
    #[must_use]
    pub fn lost(&self) -> &Shutdown {
        &self.lost
    }
}
