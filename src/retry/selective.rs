use std::fmt::{Debug, Display};
use std::future::Future;

use super::decide::{ByResult, RetryIf};
use super::layer::RetryLayer;
use super::policy::RetryPolicy;
use super::replay::CloneReplay;
use super::run::RetryRun;
use crate::retry::lent;
use crate::retry::lent::Lent;

/// A [`RetryPolicy`] together with the decision which results are retried. Made once by [`RetryPolicy::retry_if`], and
/// kept beside the policy or in place of it. The error type need not hold rejections.
///
/// # Clone
/// Clones the policy's handle and the decision.
///
/// ```
/// use seaworthy::RetryPolicy;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let policy = RetryPolicy::builder("lock").attempts(2).build()?;
/// let lock = policy.retry_if(|result: &Result<u8, String>| matches!(result, Err(error) if error == "busy"));
/// let mut answers = [Err("busy".to_owned()), Ok(7)].into_iter();
/// let answer = lock.run(|| std::future::ready(answers.next().unwrap_or(Ok(0)))).await;
/// assert_eq!(answer, Ok(7));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SelectiveRetry<C> {
    policy: RetryPolicy,
    retry_if: C,
}

impl<C> SelectiveRetry<C> {
    pub(super) fn new(policy: RetryPolicy, retry_if: C) -> SelectiveRetry<C> {
        SelectiveRetry { policy, retry_if }
    }

    /// The policy itself.
    #[must_use]
    pub fn policy(&self) -> &RetryPolicy {
        &self.policy
    }

    /// A layer that retries the calls of a service, with this decision.
    pub fn layer(&self) -> RetryLayer<ByResult<C>, CloneReplay>
    where
        C: Clone,
    {
        self.policy.layer().retry_if(self.retry_if.clone())
    }

    /// Like [`RetryPolicy::run`].
    ///
    /// # Errors
    /// As [`RetryPolicy::run`].
    ///
    /// # Cancellation
    /// As [`RetryPolicy::run`].
    ///
    /// # Panics
    /// As [`RetryPolicy::run`].
    pub fn run<F, Fut, T, E>(&self, attempt: F) -> RetryRun<'_, F, Fut, C>
    where
        C: RetryIf<T, E>,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Debug + Display,
    {
        RetryRun::new(&self.policy, &self.retry_if, attempt)
    }

    /// Like [`RetryPolicy::run_mut`].
    ///
    /// # Errors
    /// As [`RetryPolicy::run`].
    ///
    /// # Cancellation
    /// As [`RetryPolicy::run`].
    ///
    /// # Panics
    /// As [`RetryPolicy::run_mut`].
    pub fn run_mut<'s, S, F, Fut, T, E>(&self, state: &'s mut S, attempt: F) -> impl Future<Output = Result<T, E>>
    where
        S: ?Sized,
        C: RetryIf<T, E>,
        F: FnMut(Lent<'s, S>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Debug + Display,
    {
        RetryRun::new(&self.policy, &self.retry_if, lent::lending(state, attempt))
    }
}
