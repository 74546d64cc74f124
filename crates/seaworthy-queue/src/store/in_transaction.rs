use std::future::Future;

use seaworthy_store::StoreError;

use super::{Entry, NewJob, Producer};

/// Takes jobs in a transaction of the caller's, so that what was done there and the jobs that follow from it are
/// committed together, or not at all.
///
/// # Cancellation
/// The caller's transaction rolls back as the driver does.
///
/// # Errors
/// As [`Producer`], but nothing is repeated: after an error the transaction can only be rolled back.
pub trait TransactionalProducer: Producer {
    /// What the caller's transaction runs on.
    type Connection: Send;

    /// [`enqueue`](Producer::enqueue) on this connection: the jobs are there with its commit and not before.
    fn enqueue_in(
        &self,
        connection: &mut Self::Connection,
        jobs: &[NewJob],
        max_len: Option<u64>,
    ) -> impl Future<Output = Result<Vec<Entry>, StoreError>> + Send;
}
