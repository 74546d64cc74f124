use std::fmt::{Debug, Display};
use std::future::Future;

use super::attempt::RunningAttempt;
use super::class::Class;
use super::handle::Policy;
use super::pass::{Pass, PassGuard};
use super::whole::PolicyTotal;
use crate::bulkhead::{Permit, Waiter};
use crate::circuit_breaker::classify::{Classify, ErrorClassifier};
use crate::error::wrap::wrapped;
use crate::error::{Error, StackError};
use crate::machine::verdict::Verdict;
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
    policy: &'a Policy,
    class: Class,
    classifier: &'a C,
    retry_if: &'a D,
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
    pub fn run<F, Fut, T, E>(self, mut call: F) -> impl Future<Output = Result<T, E>>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        C: Classify<T, E>,
        D: RetryIf<T, E>,
        E: StackError + Debug + Display,
    {
        self.run_whole(move |_| call(), PermitOwner::Ours)
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
    pub fn run_with_permit<F, Fut, T, E>(self, call: F) -> impl Future<Output = Result<T, E>>
    where
        F: FnMut(Option<Permit>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        C: Classify<T, E>,
        D: RetryIf<T, E>,
        E: StackError + Debug + Display,
    {
        self.run_whole(call, PermitOwner::TheCalls)
    }

    fn run_whole<F, Fut, T, E>(self, call: F, whose: PermitOwner) -> impl Future<Output = Result<T, E>>
    where
        F: FnMut(Option<Permit>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        C: Classify<T, E>,
        D: RetryIf<T, E>,
        E: StackError + Debug + Display,
    {
        PolicyTotal::new(self.policy, self.policy.total_timeout_for(self.class), self.run_attempts(call, whose))
    }

    async fn run_attempts<F, Fut, T, E>(self, mut call: F, whose: PermitOwner) -> Result<T, E>
    where
        F: FnMut(Option<Permit>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        C: Classify<T, E>,
        D: RetryIf<T, E>,
        E: StackError + Debug + Display,
    {
        let PolicyCall { policy, class, classifier, retry_if } = self;
        let Some(retry) = policy.retry_for(class) else {
            return attempt(policy, class, classifier, &mut call, whose).await;
        };
        let mut progress = retry.begin();
        loop {
            let result = attempt(policy, class, classifier, &mut call, whose).await;
            let decision = retry_if.retry_if(&result);
            let Some(pause) = retry.next(&mut progress, decision, &result, |_| true) else {
                return result;
            };
            // Whatever the failed attempt holds is released before the wait.
            drop(result);
            pause.await;
        }
    }
}

/// Who releases the permit of an attempt.
#[derive(Clone, Copy, PartialEq)]
enum PermitOwner {
    /// The policy, when the attempt ends.
    Ours,
    /// The call, whenever it likes.
    TheCalls,
}

/// One attempt: circuit breaker, bulkhead and timeout, none of which costs a reference count.
async fn attempt<C, F, Fut, T, E>(
    policy: &Policy,
    class: Class,
    classifier: &C,
    call: &mut F,
    whose: PermitOwner,
) -> Result<T, E>
where
    F: FnMut(Option<Permit>) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    E: StackError,
{
    let mut pass = Pass::new(policy);
    pass.admit(class)?;
    if let Some(bulkhead) = policy.bulkhead_for(class) {
        match bulkhead.shared().try_acquire() {
            Ok(()) => pass.set_permit(),
            Err(tally) if bulkhead.shared().may_wait(tally) => {
                pass.hand_back_ticket();
                Waiter::new(bulkhead).await?.keep();
                pass.set_permit();
                // Much may have happened while it waited.
                pass.admit(class)?;
            }
            Err(_) => {
                let rejected = bulkhead.shared().reject(None);
                pass.settle(Verdict::Ignored);
                return Err(rejected.into());
            }
        }
    }
    let permit = if whose == PermitOwner::TheCalls { pass.hand_out_permit() } else { None };
    let fuse = PassGuard::new(&mut pass);
    let inner = call(permit);
    fuse.disarm();
    RunningAttempt::new(pass, class, classifier, inner).await
}
