use std::fmt;
use std::sync::Arc;

use seaworthy_store::tasks::Tasks;
use tower_layer::Layer;

use super::builder::IdempotencyKeyBuilder;
use super::scope::ScopeOf;
use super::service::IdempotencyKeyService;
use super::settings::Settings;
use crate::ledger::Ledger;
use crate::memory::Memory;
use crate::store::LedgerStore;

/// Calls the handler once for each `Idempotency-Key`, however often the request is sent, and gives every repeat the
/// answer of that call. See the [module](super).
///
/// # Clone
/// Costs a reference count; clones count the same requests.
pub struct IdempotencyKeyLayer<S = Memory>(pub(super) Arc<Shared<S>>);

pub(super) struct Shared<S> {
    pub(super) ledger: Ledger<S>,
    pub(super) scope: ScopeOf,
    pub(super) settings: Settings,
    /// The requests that run.
    pub(super) tasks: Tasks,
}

impl<S: LedgerStore> IdempotencyKeyLayer<S> {
    /// A layer that keeps answers in this ledger. Clients of one service share a ledger's keys, by their scopes; two
    /// services should have a ledger each, or scopes that cannot meet.
    pub fn builder(ledger: Ledger<S>) -> IdempotencyKeyBuilder<S> {
        IdempotencyKeyBuilder::new(ledger)
    }

    /// How many requests with a key run: from when their key is claimed until their answer is recorded, whether or not
    /// their client is still there.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.0.tasks.running()
    }

    /// Waits until no request with a key runs: for a hook at the end of a service, after its connections. It refuses
    /// nothing. What a store that was down has not recorded by then goes on; [`Ledger::close`] waits for that, too.
    ///
    /// # Cancellation
    /// Dropping it loses nothing; what runs on goes on.
    pub async fn idle(&self) {
        self.0.tasks.idle().await;
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> &Ledger<S> {
        &self.0.ledger
    }
}

impl<S, I> Layer<I> for IdempotencyKeyLayer<S> {
    type Service = IdempotencyKeyService<I, S>;

    fn layer(&self, inner: I) -> IdempotencyKeyService<I, S> {
        IdempotencyKeyService::new(inner, Arc::clone(&self.0))
    }
}

impl<S> Clone for IdempotencyKeyLayer<S> {
    fn clone(&self) -> IdempotencyKeyLayer<S> {
        IdempotencyKeyLayer(Arc::clone(&self.0))
    }
}

impl<S> fmt::Debug for IdempotencyKeyLayer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotencyKeyLayer")
            .field("ledger", &self.0.ledger)
            .field("in_flight", &self.0.tasks.running())
            .finish_non_exhaustive()
    }
}
