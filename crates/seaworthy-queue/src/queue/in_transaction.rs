//! Jobs that are enqueued with what they follow from: an outbox without a relay.

use super::handle::{Enqueued, Queue, Shared, answered_otherwise, entered};
use super::request::EnqueueRequest;
use crate::error::QueueError;
use crate::job::Job;
use crate::store::{QueueStore, TransactionalProducer};

impl<M: Job, S: QueueStore + TransactionalProducer> Queue<M, S> {
    /// Enqueues a job in the caller's own transaction: it is there with the commit and not before, and after a rollback
    /// it never was. Consumers find it when they next look.
    ///
    /// On SQLite the file is locked from here to the transaction's end; begin that with `BEGIN IMMEDIATE`. There is no
    /// limit of time in it: it is the transaction's.
    ///
    /// # Errors
    /// If its body is too large or cannot be written, or it is due in more than a year: nothing was asked then. If the
    /// queue is full, or the store fails: the transaction can only be rolled back.
    ///
    /// # Cancellation
    /// The caller's transaction rolls back as the driver does.
    pub async fn enqueue_in(
        &self,
        connection: &mut S::Connection,
        job: impl Into<EnqueueRequest<M>>,
    ) -> Result<Enqueued, QueueError> {
        let mut all = self.enqueue_many_in(connection, [job.into()]).await?;
        all.pop().ok_or_else(|| answered_otherwise().into())
    }

    /// The same for several. At most 1,000, no id twice.
    ///
    /// # Errors
    /// As [`enqueue_in`](Self::enqueue_in).
    ///
    /// # Cancellation
    /// As [`enqueue_in`](Self::enqueue_in).
    pub async fn enqueue_many_in(
        &self,
        connection: &mut S::Connection,
        jobs: impl IntoIterator<Item = EnqueueRequest<M>> + Send,
    ) -> Result<Vec<Enqueued>, QueueError> {
        let Shared { store, settings, .. } = &*self.shared;
        let jobs = self.encode(jobs)?;
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let entries = store.enqueue_in(connection, &jobs, settings.max_len).await?;
        Ok(entered(jobs, entries))
    }
}
