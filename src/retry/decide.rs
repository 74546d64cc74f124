use crate::StackError;
use crate::machine::retry::Decision;

/// Says whether to try again after a result.
///
/// Any closure that takes `&Result<Response, Error>` and gives a `bool` or a [`Decision`] will do. It is asked about
/// everything, this crate's rejections included; pass what you have no opinion on to [`RetryErrors`], which leaves those
/// alone that never reached the backend.
///
/// ```
/// use seaworthy::{BoxError, RetryPolicy};
/// use seaworthy::retry::{Decision, RetryErrors, RetryIf};
/// use std::time::Duration;
///
/// struct Answer { wait: Option<Duration> }
///
/// let policy = RetryPolicy::builder("answers").build()?;
/// let layer = policy.layer().retry_if(|result: &Result<Answer, BoxError>| match result {
///     Ok(Answer { wait: Some(wait) }) => Decision::RetryAfter(*wait),
///     other => RetryErrors.retry_if(other),
/// });
/// # let _ = layer;
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
pub trait RetryIf<Response, Error> {
    /// Decides about one result.
    fn retry_if(&self, result: &Result<Response, Error>) -> Decision;
}

impl<F, D, Response, Error> RetryIf<Response, Error> for F
where
    F: Fn(&Result<Response, Error>) -> D,
    D: Into<Decision>,
{
    fn retry_if(&self, result: &Result<Response, Error>) -> Decision {
        self(result).into()
    }
}

/// Retries every error but the rejections that never reached the backend; a
/// [`Rejected::TimedOut`](crate::Rejected::TimedOut) did and is retried. The default.
///
/// A circuit that is open, a bulkhead that is full and a service that is not ready say that there is too much traffic
/// already, or that it is pointless. A closure that wants to retry them says so:
///
/// ```
/// use seaworthy::{BoxError, Rejected, RetryPolicy, StackError};
/// use seaworthy::retry::{Decision, RetryErrors, RetryIf};
///
/// let policy = RetryPolicy::builder("patient").build()?;
/// let layer = policy.layer().retry_if(|result: &Result<String, BoxError>| {
///     match result.as_ref().err().and_then(|error| error.rejected()) {
///         Some(Rejected::BulkheadFull { .. }) => Decision::Retry,
///         _ => RetryErrors.retry_if(result),
///     }
/// });
/// # let _ = layer;
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct RetryErrors;

impl<Response, Error: StackError> RetryIf<Response, Error> for RetryErrors {
    #[inline]
    fn retry_if(&self, result: &Result<Response, Error>) -> Decision {
        match result {
            Ok(_) => Decision::Stop,
            Err(error) => (!error.rejected().is_some_and(|rejected| rejected.is_before_call())).into(),
        }
    }
}
