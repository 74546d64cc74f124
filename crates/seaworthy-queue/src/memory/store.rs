use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use seaworthy_store::time::{Instant, now, wall};
use seaworthy_store::{ErrorClass, StoreError};
use tokio::sync::Notify;

use crate::job_id::JobId;
use crate::machine::jobs::Jobs;
use crate::store::{
    Cancelled, DeadJob, DeadLetters, Depth, Entry, Held, Holder, NewJob, Producer, Received, Settlement, Source, Take,
};

/// Jobs in the memory of this process, which go with it. For tests, and for work that may be lost.
///
/// Its clock is tokio's, which tests can pause, from the wall clock's time when it was made.
///
/// # Clone
/// Costs a reference count; clones have the same jobs.
#[derive(Clone)]
pub struct Memory(Arc<Shared>);

struct Shared {
    began: Instant,
    began_at: Duration,
    jobs: Mutex<Jobs>,
    /// Something may be there to be handed out, or earlier than before.
    changed: Notify,
}

impl Default for Memory {
    fn default() -> Memory {
        let shared = Shared { began: now(), began_at: wall(), jobs: Mutex::default(), changed: Notify::new() };
        Memory(Arc::new(shared))
    }
}

impl Memory {
    /// Nothing under the lock can panic halfway: what it does to jobs is plain values.
    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Read under the lock: whoever waited for it decides by the time at which it has it.
    fn now(&self) -> Duration {
        self.0.began_at + now().saturating_duration_since(self.0.began)
    }

    /// One step, after which nothing can be handed out that could not be before.
    fn step<T>(&self, step: impl FnOnce(&mut Jobs, Duration) -> T) -> T {
        let mut jobs = self.jobs();
        let now = self.now();
        step(&mut jobs, now)
    }

    /// One after which something may be. Whoever waits is woken.
    fn step_that_offers<T>(&self, step: impl FnOnce(&mut Jobs, Duration) -> T) -> T {
        let out = self.step(step);
        self.0.changed.notify_waiters();
        out
    }

    fn look<T>(&self, look: impl FnOnce(&Jobs, Duration) -> T) -> T {
        let jobs = self.jobs();
        look(&jobs, self.now())
    }
}

impl Producer for Memory {
    async fn enqueue(&self, jobs: &[NewJob], max_len: Option<u64>) -> Result<Vec<Entry>, StoreError> {
        let outcomes = self.step_that_offers(|all, now| all.enqueue(jobs, max_len, now));
        outcomes.map_err(|_| StoreError::new(ErrorClass::Full, "enqueue", "the queue is as long as it may be"))
    }

    async fn cancel(&self, id: &JobId) -> Result<Cancelled, StoreError> {
        Ok(self.step(|all, _| all.cancel(id)))
    }
}

impl Source for Memory {
    async fn receive(&self, take: &Take, block: Duration) -> Result<Received, StoreError> {
        let until = now() + block;
        loop {
            // Before the look, so that what comes after it is noticed.
            let changed = self.0.changed.notified();
            let (received, next) = {
                let mut jobs = self.jobs();
                let now = self.now();
                (jobs.take(take, now), jobs.next_at().map(|at| at.saturating_sub(now)))
            };
            let left = until.saturating_duration_since(now());
            if !received.jobs.is_empty() || !received.died.is_empty() || left.is_zero() || take.room == 0 {
                return Ok(received);
            }
            let wait = next.map_or(left, |next| next.min(left));
            let _looked_again = tokio::time::timeout(wait, changed).await;
        }
    }

    async fn extend(&self, holders: &[Holder], visibility: Duration) -> Result<Vec<Held>, StoreError> {
        let extend = |all: &mut Jobs, now| holders.iter().map(|holder| all.extend(holder, visibility, now)).collect();
        Ok(self.step(extend))
    }

    async fn settle(&self, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
        let settle = |all: &mut Jobs, now| all.settle(holder, settlement, now);
        match settlement {
            Settlement::Ack { .. } | Settlement::Dead { .. } => Ok(self.step(settle)),
            _ => Ok(self.step_that_offers(settle)),
        }
    }

    async fn depth(&self) -> Result<Depth, StoreError> {
        Ok(self.look(Jobs::depth))
    }
}

impl DeadLetters for Memory {
    async fn list(&self, after: Option<&JobId>, most: u32) -> Result<Vec<DeadJob>, StoreError> {
        Ok(self.look(|all, _| all.list(after, most)))
    }

    async fn get(&self, id: &JobId) -> Result<Option<DeadJob>, StoreError> {
        Ok(self.look(|all, _| all.dead(id)))
    }

    async fn redrive(&self, id: &JobId) -> Result<bool, StoreError> {
        Ok(self.step_that_offers(|all, now| all.redrive(id, now)))
    }

    async fn discard(&self, id: &JobId) -> Result<bool, StoreError> {
        Ok(self.step(|all, _| all.discard(id)))
    }

    async fn sweep(&self, keep: Option<Duration>, most: Option<u64>) -> Result<u64, StoreError> {
        Ok(self.step(|all, now| all.sweep(keep, most, now)))
    }
}

/// How many jobs it has.
impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Depth { ready, later, running, dead, .. } = self.look(Jobs::depth);
        let mut shown = f.debug_struct("Memory");
        shown.field("ready", &ready).field("later", &later).field("running", &running).field("dead", &dead);
        shown.finish()
    }
}
