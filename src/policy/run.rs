use std::fmt::{Debug, Display};
use std::future::Future;

use super::class::Class;
use super::handle::Policy;
use super::run_future::{PolicyRun, WithPermit};
use super::run_held::PolicyRunHeld;
use crate::admission::classify::{Classify, ErrorClassifier};
use crate::bulkhead::Permit;
use crate::error::wrap::wrapped;
use crate::error::{Error, StackError};
use crate::retry::decide::RetryIf;
use crate::retry::lent::Lent;
use crate::retry::{RetryErrors, lent};

/// Calls through a [`Policy`], all of one [`Class`]. Made by [`Policy::with`] and
/// [`ClassifiedPolicy::with`](super::ClassifiedPolicy::with); it borrows, and costs nothing.
///
/// ```
/// use seaworthy::policy::Class;
/// use seaworthy::{BoxError, Policy};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let policy = Policy::builder("store")
///     .circuit_breaker(|circuit_breaker| circuit_breaker)
///     .bulkhead(|bulkhead| bulkhead.limit(1))
///     .build()?;
/// let ping = Class::new().without_bulkhead();
/// let _permit = policy.bulkhead().ok_or("it has one")?.try_acquire()?;
/// assert!(policy.with(ping).run(|| async { Ok::<_, BoxError>(()) }).await.is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is called until `run`"]
pub struct PolicyCall<'a, C = ErrorClassifier, D = RetryErrors> {
    pub(super) policy: &'a Policy,
    pub(super) class: Class,
    pub(super) classifier: &'a C,
    pub(super) retry_if: &'a D,
}

impl<C, D> Clone for PolicyCall<'_, C, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C, D> Copy for PolicyCall<'_, C, D> {}

impl<'a> PolicyCall<'a> {
    pub(super) fn new(policy: &'a Policy, class: Class) -> PolicyCall<'a> {
        PolicyCall::classified(policy, class, &ErrorClassifier, &RetryErrors)
    }
}

impl<'a, C, D> PolicyCall<'a, C, D> {
    pub(super) fn classified(policy: &'a Policy, class: Class, classifier: &'a C, retry_if: &'a D) -> Self {
        PolicyCall { policy, class, classifier, retry_if }
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
    pub fn run<F, Fut, T, E>(self, call: F) -> PolicyRun<'a, F, Fut, C, D>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        C: Classify<T, E>,
        D: RetryIf<T, E>,
        E: StackError + Debug + Display,
    {
        PolicyRun::new(self, call)
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
    pub fn run_wrapped<F, Fut, T, E>(self, call: F) -> impl Future<Output = Result<T, Error<E>>>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        C: Classify<T, Error<E>>,
        D: RetryIf<T, Error<E>>,
        E: Debug + Display,
    {
        self.run(wrapped(call))
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
    pub fn run_mut<'s, S, F, Fut, T, E>(self, state: &'s mut S, call: F) -> impl Future<Output = Result<T, E>>
    where
        S: ?Sized,
        F: FnMut(Lent<'s, S>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        C: Classify<T, E>,
        D: RetryIf<T, E>,
        E: StackError + Debug + Display,
    {
        self.run(lent::lending(state, call))
    }

    /// Like [`run`](Self::run), but the permit is passed to the call, which can put it into what it returns: the permit
    /// is then released when that is dropped, otherwise with the call. For what goes on after the call has ended, such
    /// as a stream.
    ///
    /// There is no permit if the policy has no bulkhead or the class leaves it out.
    ///
    /// ```
    /// use seaworthy::policy::Class;
    /// use seaworthy::{BoxError, Policy};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// let policy = Policy::builder("logs").bulkhead(|bulkhead| bulkhead.limit(1)).build()?;
    /// let lines = async |permit| Ok::<_, BoxError>(("lines", permit));
    /// let stream = policy.with(Class::new()).run_with_permit(lines).await?;
    /// assert!(policy.run(|| async { Ok::<_, BoxError>(()) }).await.is_err(), "the stream is still open");
    /// drop(stream);
    /// assert!(policy.run(|| async { Ok::<_, BoxError>(()) }).await.is_ok());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Policy::run`].
    ///
    /// # Cancellation
    /// As [`Policy::run`].
    ///
    /// # Panics
    /// As [`Policy::run`].
    pub fn run_with_permit<F, Fut, T, E>(self, call: F) -> PolicyRun<'a, F, Fut, C, D, WithPermit>
    where
        F: FnMut(Option<Permit>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        C: Classify<T, E>,
        D: RetryIf<T, E>,
        E: StackError + Debug + Display,
    {
        PolicyRun::new(self, call)
    }

    /// Like [`run`](Self::run), for what goes on after the call has ended and can still fail, such as a stream: with
    /// its result comes a [`Permit`](super::Permit), with the bulkhead's permit in it and the circuit breaker's verdict
    /// still to be given. An error is judged, and retried, as by `run`; so is a result that is a failure to the
    /// classifier, after which the permit has only the bulkhead's.
    ///
    /// ```
    /// use seaworthy::policy::Class;
    /// use seaworthy::{BoxError, Policy, State, Verdict};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// let policy = Policy::builder("logs")
    ///     .circuit_breaker(|circuit_breaker| circuit_breaker.consecutive_failures(1))
    ///     .bulkhead(|bulkhead| bulkhead.limit(1))
    ///     .build()?;
    /// let (lines, permit) = policy.with(Class::new()).run_held(async || Ok::<_, BoxError>("lines")).await?;
    /// assert_eq!((lines, policy.bulkhead().map(|bulkhead| bulkhead.in_use())), ("lines", Some(1)));
    /// // The stream breaks off.
    /// permit.settle(Verdict::Failure);
    /// assert_eq!(policy.circuit_breaker().map(|circuit_breaker| circuit_breaker.state()), Some(State::Open));
    /// assert_eq!(policy.bulkhead().map(|bulkhead| bulkhead.in_use()), Some(0));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Policy::run`].
    ///
    /// # Cancellation
    /// As [`Policy::run`].
    ///
    /// # Panics
    /// As [`Policy::run`].
    pub fn run_held<F, Fut, T, E>(self, call: F) -> PolicyRunHeld<'a, F, Fut, C, D>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        C: Classify<T, E>,
        D: RetryIf<T, E>,
        E: StackError + Debug + Display,
    {
        PolicyRunHeld::new(PolicyRun::new(self, call))
    }
}
