//! A ledger that can be switched off.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use seaworthy_ledger::store::{Answer, Attempt, Holder, LedgerStore, Renewal, Settlement, StepKept};
use seaworthy_ledger::{Entry, ErrorClass, Held, Key, Memory, StoreError};

#[derive(Clone)]
pub(crate) struct Switched {
    inner: Memory,
    is_off: Arc<AtomicBool>,
}

impl Switched {
    pub(crate) fn new(is_off: &Arc<AtomicBool>) -> Switched {
        Switched { inner: Memory::default(), is_off: Arc::clone(is_off) }
    }

    async fn unless_off<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        if self.is_off.load(Ordering::Relaxed) {
            return Err(StoreError::new(ErrorClass::Unavailable, "ask", "it is switched off"));
        }
        work.await
    }
}

impl LedgerStore for Switched {
    async fn claim(&self, attempt: &Attempt) -> Result<Answer, StoreError> {
        self.unless_off(self.inner.claim(attempt)).await
    }

    async fn renew(&self, leases: &[(Holder, Duration)]) -> Result<Vec<Renewal>, StoreError> {
        self.unless_off(self.inner.renew(leases)).await
    }

    async fn settle(&self, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
        self.unless_off(self.inner.settle(holder, settlement)).await
    }

    async fn lookup(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.unless_off(self.inner.lookup(key)).await
    }

    async fn sweep(&self, most: u32) -> Result<u64, StoreError> {
        self.inner.sweep(most).await
    }

    async fn stale(&self) -> Result<u64, StoreError> {
        self.inner.stale().await
    }

    async fn step(&self, key: &Key, name: &str) -> Result<Option<Bytes>, StoreError> {
        self.inner.step(key, name).await
    }

    async fn keep_step(&self, holder: &Holder, name: &str, result: &Bytes) -> Result<StepKept, StoreError> {
        self.inner.keep_step(holder, name, result).await
    }
}
