use std::fmt::{Debug, Display};
use std::future::Future;

use super::again::WithRetry;
use super::class::Class;
use super::handle::Policy;
use super::layer::PolicyLayer;
use super::run::PolicyCall;
use super::run_future::PolicyRun;
use crate::admission::classify::{Classify, ErrorClassifier};
use crate::error::{Error, StackError};
use crate::retry::decide::RetryIf;
use crate::retry::lent::Lent;
use crate::retry::{ByResult, CloneReplay, RetryErrors};

/// A [`Policy`] together with what decides for its calls: a classifier, and which results are retried. Made once by
/// [`Policy::classify`] and [`Policy::retry_if`], and kept beside the policy or in place of it.
///
/// # Clone
/// Clones the policy's handle, the classifier and the decision.
///
/// ```
/// use seaworthy::{BoxError, Policy, Verdict};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let policy = Policy::builder("store")
///     .circuit_breaker(|circuit_breaker| circuit_breaker.consecutive_failures(1))
///     .build()?;
/// // A missing entry is not a failure of the store.
/// let store = policy.classify(|result: &Result<u32, BoxError>| match result {
///     Err(error) if error.to_string() == "not found" => Verdict::Success,
///     Err(_) => Verdict::Failure,
///     Ok(_) => Verdict::Success,
/// });
/// assert!(store.run(|| async { Err("not found".into()) }).await.is_err());
/// assert!(store.run(|| async { Ok(7) }).await.is_ok(), "it is still closed");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ClassifiedPolicy<C = ErrorClassifier, D = RetryErrors> {
    policy: Policy,
    classifier: C,
    retry_if: D,
}

impl Policy {
    /// A handle to this policy whose calls are judged by `classifier`: see [`Classify`](crate::Classify).
    #[must_use = "it returns a new handle"]
    pub fn classify<C>(&self, classifier: C) -> ClassifiedPolicy<C> {
        ClassifiedPolicy { policy: self.clone(), classifier, retry_if: RetryErrors }
    }

    /// A handle to this policy that lets `retry_if` decide what is retried, if the policy retries: see
    /// [`RetryIf`](crate::RetryIf).
    #[must_use = "it returns a new handle"]
    pub fn retry_if<D>(&self, retry_if: D) -> ClassifiedPolicy<ErrorClassifier, D> {
        self.classify(ErrorClassifier).retry_if(retry_if)
    }
}

impl<C, D> ClassifiedPolicy<C, D> {
    /// The same, with `retry_if` deciding what is retried, if the policy retries.
    #[must_use = "it returns a new handle"]
    pub fn retry_if<K>(self, retry_if: K) -> ClassifiedPolicy<C, K> {
        ClassifiedPolicy { policy: self.policy, classifier: self.classifier, retry_if }
    }

    /// The policy itself.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// A layer that puts the policy around a service, with this classifier and decision.
    pub fn layer(&self) -> PolicyLayer<C, Class, WithRetry<ByResult<D>, CloneReplay>>
    where
        C: Clone,
        D: Clone,
    {
        self.policy.layer().classify(self.classifier.clone()).retry_if(self.retry_if.clone())
    }

    /// Calls of a class; [`run`](Self::run) is for the usual ones.
    pub fn with(&self, class: Class) -> PolicyCall<'_, C, D> {
        PolicyCall::classified(&self.policy, class, &self.classifier, &self.retry_if)
    }

    /// Like [`Policy::run`].
    ///
    /// # Errors
    /// As [`Policy::run`].
    ///
    /// # Cancellation
    /// As [`Policy::run`].
    ///
    /// # Panics
    /// As [`Policy::run`].
    pub fn run<F, Fut, T, E>(&self, call: F) -> PolicyRun<'_, F, Fut, C, D>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        C: Classify<T, E>,
        D: RetryIf<T, E>,
        E: StackError + Debug + Display,
    {
        self.with(Class::new()).run(call)
    }

    /// Like [`Policy::run_wrapped`].
    ///
    /// # Errors
    /// As [`Policy::run_wrapped`].
    ///
    /// # Cancellation
    /// As [`Policy::run`].
    ///
    /// # Panics
    /// As [`Policy::run`].
    pub fn run_wrapped<F, Fut, T, E>(&self, call: F) -> impl Future<Output = Result<T, Error<E>>>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        C: Classify<T, Error<E>>,
        D: RetryIf<T, Error<E>>,
        E: Debug + Display,
    {
        self.with(Class::new()).run_wrapped(call)
    }

    /// Like [`Policy::run_mut`].
    ///
    /// # Errors
    /// As [`Policy::run`].
    ///
    /// # Cancellation
    /// As [`Policy::run`].
    ///
    /// # Panics
    /// As [`Policy::run_mut`].
    pub fn run_mut<'s, S, F, Fut, T, E>(&self, state: &'s mut S, call: F) -> impl Future<Output = Result<T, E>>
    where
        S: ?Sized,
        F: FnMut(Lent<'s, S>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        C: Classify<T, E>,
        D: RetryIf<T, E>,
        E: StackError + Debug + Display,
    {
        self.with(Class::new()).run_mut(state, call)
    }
}
