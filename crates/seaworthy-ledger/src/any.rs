use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use seaworthy_store::StoreError;

use crate::held_answer::Held;
use crate::key::Key;
use crate::ledger::Ledger;
use crate::record::Entry;
use crate::store::{Answer, Attempt, Holder, LedgerStore, Renewal, Settlement, StepKept};

/// A ledger whose type does not say where its rows are.
pub type AnyLedger = Ledger<AnyStore>;

/// Any store, for code that is not to know which: which one it is may then be decided when the program starts. Costs
/// one allocation a request.
///
/// ```
/// use seaworthy_ledger::{AnyLedger, AnyStore, Ledger, Memory};
///
/// fn ledger(name: &'static str) -> Result<AnyLedger, seaworthy::ConfigError> {
///     // … or a store in Postgres, if a setting says so.
///     Ledger::with_store(name, AnyStore::new(Memory::default())).build()
/// }
/// # ledger("charges")?;
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
///
/// # Clone
/// Costs a reference count; clones are the same store.
#[derive(Clone)]
pub struct AnyStore(Arc<dyn DynStore>);

impl AnyStore {
    /// Hides which store it is.
    pub fn new(store: impl LedgerStore) -> AnyStore {
        AnyStore(Arc::new(store))
    }
}

type Answering<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// [`LedgerStore`] in a form that can be called without knowing which it is.
trait DynStore: Send + Sync {
    fn claim<'a>(&'a self, attempt: &'a Attempt) -> Answering<'a, Answer>;
    fn renew<'a>(&'a self, leases: &'a [(Holder, Duration)]) -> Answering<'a, Vec<Renewal>>;
    fn settle<'a>(&'a self, holder: &'a Holder, settlement: &'a Settlement) -> Answering<'a, Held>;
    fn lookup<'a>(&'a self, key: &'a Key) -> Answering<'a, Option<Entry>>;
    fn sweep(&self, most: u32) -> Answering<'_, u64>;
    fn stale(&self) -> Answering<'_, u64>;
    fn step<'a>(&'a self, key: &'a Key, name: &'a str) -> Answering<'a, Option<Bytes>>;
    fn keep_step<'a>(&'a self, holder: &'a Holder, name: &'a str, result: &'a Bytes) -> Answering<'a, StepKept>;
}

impl<S: LedgerStore> DynStore for S {
    fn claim<'a>(&'a self, attempt: &'a Attempt) -> Answering<'a, Answer> {
        Box::pin(LedgerStore::claim(self, attempt))
    }

    fn renew<'a>(&'a self, leases: &'a [(Holder, Duration)]) -> Answering<'a, Vec<Renewal>> {
        Box::pin(LedgerStore::renew(self, leases))
    }

    fn settle<'a>(&'a self, holder: &'a Holder, settlement: &'a Settlement) -> Answering<'a, Held> {
        Box::pin(LedgerStore::settle(self, holder, settlement))
    }

    fn lookup<'a>(&'a self, key: &'a Key) -> Answering<'a, Option<Entry>> {
        Box::pin(LedgerStore::lookup(self, key))
    }

    fn sweep(&self, most: u32) -> Answering<'_, u64> {
        Box::pin(LedgerStore::sweep(self, most))
    }

    fn stale(&self) -> Answering<'_, u64> {
        Box::pin(LedgerStore::stale(self))
    }

    fn step<'a>(&'a self, key: &'a Key, name: &'a str) -> Answering<'a, Option<Bytes>> {
        Box::pin(LedgerStore::step(self, key, name))
    }

    fn keep_step<'a>(&'a self, holder: &'a Holder, name: &'a str, result: &'a Bytes) -> Answering<'a, StepKept> {
        Box::pin(LedgerStore::keep_step(self, holder, name, result))
    }
}

// Asked by way of the reference count's content: the count itself would be a store of its own, and ask itself.
impl LedgerStore for AnyStore {
    async fn claim(&self, attempt: &Attempt) -> Result<Answer, StoreError> {
        (*self.0).claim(attempt).await
    }

    async fn renew(&self, leases: &[(Holder, Duration)]) -> Result<Vec<Renewal>, StoreError> {
        (*self.0).renew(leases).await
    }

    async fn settle(&self, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
        (*self.0).settle(holder, settlement).await
    }

    async fn lookup(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        (*self.0).lookup(key).await
    }

    async fn sweep(&self, most: u32) -> Result<u64, StoreError> {
        (*self.0).sweep(most).await
    }

    async fn stale(&self) -> Result<u64, StoreError> {
        (*self.0).stale().await
    }

    async fn step(&self, key: &Key, name: &str) -> Result<Option<Bytes>, StoreError> {
        (*self.0).step(key, name).await
    }

    async fn keep_step(&self, holder: &Holder, name: &str, result: &Bytes) -> Result<StepKept, StoreError> {
        (*self.0).keep_step(holder, name, result).await
    }
}

impl fmt::Debug for AnyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyStore").finish_non_exhaustive()
    }
}
