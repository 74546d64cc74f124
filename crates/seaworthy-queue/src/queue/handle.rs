use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use seaworthy::observe::Notifier;
use seaworthy::{ConfigError, Name};
use seaworthy_store::{limit, time};

use super::builder::{QueueBuilder, Settings};
use super::dead::Dead;
use super::request::EnqueueRequest;
use crate::error::QueueError;
use crate::job::Job;
use crate::job_id::JobId;
use crate::memory::Memory;
use crate::store::{Cancelled, Depth, Entry, NewJob, QueueStore};

/// In one request.
const MOST: usize = 1_000;

/// Takes jobs, and keeps each until it was done or given up. A [`Consumer`](crate::Consumer) does them.
///
/// A job that was accepted is delivered at least once, and more often if a consumer dies or is cut off in the middle of
/// it: let its work be such that doing it again does no harm, or have a ledger behind it. No order is promised.
///
/// # Clone
/// Costs a reference count; clones are the same queue.
pub struct Queue<M, S = Memory> {
    pub(crate) shared: Arc<Shared<S>>,
    of: PhantomData<fn(M) -> M>,
}

pub(crate) struct Shared<S> {
    pub(crate) name: Name,
    pub(crate) store: S,
    pub(crate) settings: Settings,
    pub(crate) notifier: Notifier,
}

/// A job that is in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Enqueued {
    /// It was accepted.
    New(JobId),
    /// A job under this id was there already, live, dead or remembered, and nothing was changed.
    Already(JobId),
}

impl Enqueued {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &JobId {
        match self {
            Enqueued::New(id) | Enqueued::Already(id) => id,
        }
    }

    /// Whether it was accepted just now.
    #[must_use]
    pub fn is_new(&self) -> bool {
        matches!(self, Enqueued::New(_))
    }
}

impl<M: Job> Queue<M> {
    /// A queue in memory: its jobs go with the process.
    pub fn memory(name: impl Into<Name>) -> QueueBuilder<M, Memory> {
        Queue::with_store(name, Memory::default())
    }
}

impl<M: Job, S: QueueStore> Queue<M, S> {
    /// A queue on a store of your own.
    pub fn with_store(name: impl Into<Name>, store: S) -> QueueBuilder<M, S> {
        QueueBuilder::new(name.into(), store)
    }

    /// Accepts a job. When this returns, the store has it.
    ///
    /// # Errors
    /// If its body is too large or cannot be written, or it is due in more than a year; if the queue is full; if the
    /// store refuses. If the store is unavailable it is unknown whether the job was accepted: enqueue it again under
    /// the same id.
    ///
    /// # Cancellation
    /// Dropping it leaves unknown whether the job was accepted.
    pub async fn enqueue(&self, job: impl Into<EnqueueRequest<M>>) -> Result<Enqueued, QueueError> {
        let mut all = self.enqueue_many([job.into()]).await?;
        all.pop().ok_or_else(|| answered_otherwise().into())
    }

    /// Accepts all of these jobs, or none. At most 1,000, no id twice.
    ///
    /// # Errors
    /// As [`enqueue`](Self::enqueue).
    ///
    /// # Cancellation
    /// As [`enqueue`](Self::enqueue).
    pub async fn enqueue_many(
        &self,
        jobs: impl IntoIterator<Item = EnqueueRequest<M>> + Send,
    ) -> Result<Vec<Enqueued>, QueueError> {
        let Shared { store, settings, .. } = &*self.shared;
        let jobs = self.encode(jobs)?;
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let entries =
            limit::within(settings.request_timeout, "enqueue", store.enqueue(&jobs, settings.max_len)).await?;
        Ok(entered(jobs, entries))
    }

    pub(super) fn encode(&self, jobs: impl IntoIterator<Item = EnqueueRequest<M>>) -> Result<Vec<NewJob>, QueueError> {
        let now = time::wall();
        let encode = |job: EnqueueRequest<M>| job.encode(self.shared.settings.max_payload, now);
        let jobs = jobs.into_iter().map(encode).collect::<Result<Vec<_>, _>>()?;
        if jobs.len() > MOST {
            return Err(ConfigError::new("queue", "jobs", jobs.len(), "must be at most 1,000 at once").into());
        }
        let mut ids: Vec<&JobId> = jobs.iter().map(|job| &job.id).collect();
        ids.sort_unstable();
        match ids.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(ConfigError::new("queue", "id", pair[0], "must be there once among them").into()),
            None => Ok(jobs),
        }
    }

    /// Removes a job that is not running.
    ///
    /// # Errors
    /// If the store is unavailable, or refuses.
    ///
    /// # Cancellation
    /// Dropping it leaves unknown whether it was removed.
    pub async fn cancel(&self, id: &JobId) -> Result<Cancelled, QueueError> {
        let Shared { store, settings, .. } = &*self.shared;
        Ok(limit::within(settings.request_timeout, "cancel", store.cancel(id)).await?)
    }

    /// How many jobs there are.
    ///
    /// # Errors
    /// If the store is unavailable, or refuses.
    ///
    /// # Cancellation
    /// Dropping it loses nothing.
    pub async fn depth(&self) -> Result<Depth, QueueError> {
        let Shared { store, settings, .. } = &*self.shared;
        Ok(limit::within(settings.request_timeout, "depth", store.depth()).await?)
    }

    /// Its dead letters. They are not decoded, so that a tool can have those of a queue whose jobs it does not know,
    /// under any type of job.
    #[must_use]
    pub fn dead(&self) -> Dead<S> {
        Dead::new(Arc::clone(&self.shared))
    }
}

pub(super) fn entered(jobs: Vec<NewJob>, entries: Vec<Entry>) -> Vec<Enqueued> {
    let entered = |(job, entry): (NewJob, Entry)| match entry {
        Entry::Accepted => Enqueued::New(job.id),
        Entry::Already => Enqueued::Already(job.id),
    };
    jobs.into_iter().zip(entries).map(entered).collect()
}

pub(super) fn answered_otherwise() -> seaworthy_store::StoreError {
    let why = "the store answered for another number of jobs than it was asked";
    seaworthy_store::StoreError::new(seaworthy_store::ErrorClass::Corrupt, "enqueue", why)
}

impl<M, S> Queue<M, S> {
    pub(crate) fn built(name: Name, store: S, settings: Settings, notifier: Notifier) -> Queue<M, S> {
        Queue { shared: Arc::new(Shared { name, store, settings, notifier }), of: PhantomData }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.shared.name
    }

    /// The store it was made on.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.shared.store
    }
}

impl<M, S> Clone for Queue<M, S> {
    fn clone(&self) -> Queue<M, S> {
        Queue { shared: Arc::clone(&self.shared), of: PhantomData }
    }
}

impl<M, S> fmt::Debug for Queue<M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { name, settings, .. } = &*self.shared;
        f.debug_struct("Queue").field("name", name).field("settings", settings).finish_non_exhaustive()
    }
}
