//! No request to a store is awaited without a limit.

use std::future::Future;
use std::time::Duration;

use crate::error::StoreError;

/// Gives up after `limit`, and takes the outcome for unknown: the store may still do what it was asked.
///
/// # Errors
/// What `request` fails with; [`Unavailable`](crate::ErrorClass::Unavailable) if it does not end in time.
///
/// # Cancellation
/// Dropping it drops `request`.
pub async fn within<T>(
    limit: Duration,
    asked: &'static str,
    request: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, request).await {
        Ok(answer) => answer,
        Err(_elapsed) => Err(StoreError::timed_out(asked, limit)),
    }
}
