//! A store that counts, and that fails when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use seaworthy_queue::store::{
    Cancelled, DeadJob, DeadLetters, Depth, Entry, Held, Holder, NewJob, Producer, Received, Settlement, Source, Take,
};
use seaworthy_queue::{ErrorClass, JobId, Memory, StoreError};

#[derive(Clone, Default)]
pub(crate) struct Spy {
    pub(crate) inner: Memory,
    pub(crate) receives: Arc<AtomicU32>,
    pub(crate) settles: Arc<AtomicU32>,
    pub(crate) fails: Arc<Fails>,
}

#[derive(Default)]
pub(crate) struct Fails {
    /// Asked and done, but not answered.
    pub(crate) receive_answers: AtomicBool,
    pub(crate) receives: AtomicBool,
    pub(crate) extends: AtomicBool,
    pub(crate) settles: AtomicBool,
    pub(crate) settle_answers: AtomicBool,
    /// Never answered, and not done.
    pub(crate) settles_hang: AtomicBool,
    pub(crate) refuses: AtomicBool,
}

fn if_set(flag: &AtomicBool, asked: &'static str) -> Result<(), StoreError> {
    if flag.load(Ordering::Relaxed) {
        Err(StoreError::new(ErrorClass::Unavailable, asked, "told to fail"))
    } else {
        Ok(())
    }
}

impl Spy {
    pub(crate) fn count(&self) -> u32 {
        self.receives.load(Ordering::Relaxed)
    }
}

impl Producer for Spy {
    async fn enqueue(&self, jobs: &[NewJob], max_len: Option<u64>) -> Result<Vec<Entry>, StoreError> {
        self.inner.enqueue(jobs, max_len).await
    }

    async fn cancel(&self, id: &JobId) -> Result<Cancelled, StoreError> {
        self.inner.cancel(id).await
    }
}

impl Source for Spy {
    async fn receive(&self, take: &Take, block: Duration) -> Result<Received, StoreError> {
        self.receives.fetch_add(1, Ordering::Relaxed);
        if self.fails.refuses.load(Ordering::Relaxed) {
            return Err(StoreError::new(ErrorClass::Refused, "receive", "no schema"));
        }
        if_set(&self.fails.receives, "receive")?;
        let received = self.inner.receive(take, block).await?;
        if_set(&self.fails.receive_answers, "receive")?;
        Ok(received)
    }

    async fn extend(&self, holders: &[Holder], visibility: Duration) -> Result<Vec<Held>, StoreError> {
        if_set(&self.fails.extends, "extend")?;
        self.inner.extend(holders, visibility).await
    }

    async fn settle(&self, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
        self.settles.fetch_add(1, Ordering::Relaxed);
        if self.fails.settles_hang.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        if_set(&self.fails.settles, "settle")?;
        let held = self.inner.settle(holder, settlement).await?;
        if_set(&self.fails.settle_answers, "settle")?;
        Ok(held)
    }

    async fn depth(&self) -> Result<Depth, StoreError> {
        if_set(&self.fails.receives, "depth")?;
        self.inner.depth().await
    }
}

impl DeadLetters for Spy {
    async fn list(&self, after: Option<&JobId>, most: u32) -> Result<Vec<DeadJob>, StoreError> {
        self.inner.list(after, most).await
    }

    async fn get(&self, id: &JobId) -> Result<Option<DeadJob>, StoreError> {
        self.inner.get(id).await
    }

    async fn redrive(&self, id: &JobId) -> Result<bool, StoreError> {
        self.inner.redrive(id).await
    }

    async fn discard(&self, id: &JobId) -> Result<bool, StoreError> {
        self.inner.discard(id).await
    }

    async fn sweep(&self, keep: Option<Duration>, most: Option<u64>) -> Result<u64, StoreError> {
        self.inner.sweep(keep, most).await
    }
}
