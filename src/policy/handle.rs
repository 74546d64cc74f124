use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::time::Duration;

use super::bodies::BodySettings;
use super::builder::PolicyBuilder;
use super::class::Class;
use super::layer::PolicyLayer;
use super::run::PolicyCall;
use super::run_future::PolicyRun;
use super::unknown_name::UnknownName;
use crate::bulkhead::handle::Bulkhead;
use crate::circuit_breaker::handle::CircuitBreaker;
use crate::context;
use crate::error::{DeadlineStage, Error, Rejected, StackError};
use crate::machine::circuit_breaker::body_scope::BodyScope;
use crate::machine::deadline::DeadlineLimits;
use crate::machine::timestamp::Timestamp;
use crate::name::Name;
use crate::retry::budget::RetryBudget;
use crate::retry::lent::Lent;
use crate::retry::policy::RetryPolicy;
use crate::rt::shared::Handle;
use crate::rt::time::{self, TimeUp};
use crate::timeout::{TimeoutNotifier, given_up};
use crate::{bulkhead, circuit_breaker};

/// A circuit breaker, a bulkhead, a timeout and, if wanted, retries, under one name and in the right order.
///
/// Each of them may be left out. This is a handle to shared state: clones and everything made from it share the same
/// parts, whether through [`layer`](Policy::layer) or [`run`](Policy::run).
///
/// # Clone
/// Costs a reference count, or nothing once it has been [leaked](Policy::leak).
///
/// ```
/// use seaworthy::policy::Class;
/// use seaworthy::{BoxError, Policy};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let policy = Policy::builder("compute")
///     .circuit_breaker(|circuit_breaker| {
///         circuit_breaker.consecutive_failures(5).open_for(Duration::from_secs(30)).success_threshold(2)
///     })
///     .bulkhead(|bulkhead| bulkhead.limit(20).max_wait(Duration::from_secs(10)))
///     .timeout(Duration::from_secs(120))
///     .build()?;
///
/// // Around one method of a backend …
/// let answer = policy.run(|| async { Ok::<_, BoxError>("created") }).await?;
/// assert_eq!(answer, "created");
///
/// // … and around another that must not wait for a permit.
/// let ping = Class::new().timeout(Duration::from_secs(5)).without_bulkhead();
/// policy.with(ping).run(|| async { Ok::<_, BoxError>(()) }).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Policy(Handle<Parts>);

/// What a policy consists of.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) name: Name,
    pub(super) circuit_breaker: Option<CircuitBreaker>,
    pub(super) bulkhead: Option<Bulkhead>,
    pub(super) timeout: Option<Duration>,
    pub(super) total_timeout: Option<Duration>,
    pub(super) deadline: Option<DeadlineLimits>,
    pub(super) retry: Option<RetryPolicy>,
    pub(super) classes: Vec<(Name, Class)>,
    pub(super) bodies: BodySettings,
    pub(super) scope: Option<BodyScope>,
    pub(super) notifier: TimeoutNotifier,
}

impl Policy {
    /// Starts a builder; `name` appears in the events and rejections of the parts.
    pub fn builder(name: impl Into<Name>) -> PolicyBuilder {
        PolicyBuilder::new(name.into())
    }

    pub(super) fn new(parts: Parts) -> Policy {
        Policy(Handle::new(parts))
    }

    #[inline]
    fn parts(&self) -> &Parts {
        &self.0
    }

    /// Keeps this policy for the life of the process and returns a handle that costs no reference count to clone, which
    /// is the largest cost of a call through a shared one. It is the same policy; handles cloned earlier go on counting
    /// references.
    #[must_use = "it returns the leaked handle"]
    pub fn leak(self) -> Policy {
        self.name().leak();
        Policy(self.0.leak())
    }

    /// The name it was built with.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.parts().name
    }

    /// The circuit breaker, if there is one: to inspect it, to force it, or to use it as a health check.
    #[must_use]
    #[inline]
    pub fn circuit_breaker(&self) -> Option<&CircuitBreaker> {
        self.parts().circuit_breaker.as_ref()
    }

    /// The bulkhead, if there is one: to inspect it, or to change its limit.
    #[must_use]
    #[inline]
    pub fn bulkhead(&self) -> Option<&Bulkhead> {
        self.parts().bulkhead.as_ref()
    }

    /// The retry policy with its budget, if there are retries.
    #[must_use]
    #[inline]
    pub fn retry_policy(&self) -> Option<&RetryPolicy> {
        self.parts().retry.as_ref()
    }

    /// How long an attempt may take, unless its class says otherwise.
    #[must_use]
    #[inline]
    pub fn timeout(&self) -> Option<Duration> {
        self.parts().timeout
    }

    /// How long a call may take, with all of its attempts, unless its class says otherwise.
    #[must_use]
    #[inline]
    pub fn total_timeout(&self) -> Option<Duration> {
        self.parts().total_timeout
    }

    /// The limits of bodies, and the notifier for when one is exceeded.
    #[cfg(feature = "http")]
    pub(crate) fn bodies(&self) -> (BodySettings, &TimeoutNotifier) {
        (self.parts().bodies, &self.parts().notifier)
    }

    /// The deadline of a call that begins now, if this policy says something about deadlines.
    #[inline(always)]
    pub(super) fn deadline_for_call(&self) -> Option<Timestamp> {
        self.parts().deadline.as_ref().and_then(|limits| limits.for_call(context::deadline(), time::now))
    }

    /// The rules for calls that go on in their response bodies, if they do.
    #[inline]
    pub(crate) fn body_scope(&self) -> Option<&BodyScope> {
        self.parts().scope.as_ref()
    }

    /// The same parts, for calls that go on in their response bodies.
    pub(crate) fn until_body_end(self) -> Policy {
        if self.body_scope().is_some() {
            return self;
        }
        let parts = Parts { scope: Some(BodyScope::DEFAULT), ..self.parts().clone() };
        Policy(self.0.replaced(parts))
    }

    #[inline]
    pub(super) fn total_timeout_for(&self, class: Class) -> Option<Duration> {
        if class.has_total_timeout() { self.total_timeout() } else { None }
    }

    #[inline]
    pub(super) fn circuit_breaker_for(&self, class: Class) -> Option<&CircuitBreaker> {
        if class.has_circuit_breaker() { self.circuit_breaker() } else { None }
    }

    #[inline]
    pub(super) fn bulkhead_for(&self, class: Class) -> Option<&Bulkhead> {
        if class.has_bulkhead() { self.bulkhead() } else { None }
    }

    #[inline]
    pub(super) fn retry_for(&self, class: Class) -> Option<&RetryPolicy> {
        if class.has_retry() { self.retry_policy() } else { None }
    }

    #[cold]
    pub(super) fn timed_out(&self, time_up: TimeUp) -> Rejected {
        given_up(&self.parts().notifier, time_up)
    }

    #[cold]
    pub(super) fn deadline_exceeded(&self, stage: DeadlineStage) -> Rejected {
        self.parts().notifier.deadline_exceeded(stage, context::late_by())
    }

    /// The class with this name, to be looked up once and kept: it is a plain value.
    ///
    /// # Errors
    /// If there is none with this name.
    pub fn class(&self, name: &str) -> Result<Class, UnknownName> {
        let Parts { name: policy, classes, .. } = self.parts();
        let found = classes.iter().find(|(known, _)| *known == *name);
        let known = classes.iter().map(|(name, _)| name.as_str());
        found.map(|(_, class)| *class).ok_or_else(|| UnknownName::new(Some(policy.clone()), name, known))
    }

    /// A layer that puts this policy around a service; every error is a failure.
    ///
    /// ```
    /// use seaworthy::{BoxError, Policy};
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// let policy = Policy::builder("parser")
    ///     .circuit_breaker(|circuit_breaker| circuit_breaker)
    ///     .retry(|retry| retry.attempts(2))
    ///     .build()?;
    /// let service = ServiceBuilder::new()
    ///     .layer(policy.layer())
    ///     .service(service_fn(async |text: &'static str| Ok::<u8, BoxError>(text.parse()?)));
    /// assert_eq!(service.oneshot("7").await?, 7);
    /// # Ok(())
    /// # }
    /// ```
    pub fn layer(&self) -> PolicyLayer {
        PolicyLayer::new(self.clone())
    }

    /// Makes a call through all parts; every error is a failure. `call` is called once per attempt, after the circuit
    /// breaker has let it pass and it has its permit; only then does the timeout start.
    ///
    /// For an error type that cannot hold a rejection there is [`run_wrapped`](Policy::run_wrapped); for mutable
    /// borrows, [`run_mut`](Policy::run_mut); for your own classifier, [`classify`](Policy::classify).
    ///
    /// # Errors
    /// The last attempt's own error, or a [`Rejected`](crate::Rejected) of one of the parts.
    ///
    /// # Cancellation
    /// Dropping it drops the running attempt, releases its permit or leaves the queue, and counts as the circuit
    /// breaker's [`OnDrop`](crate::OnDrop) says. Before its first poll it has taken nothing.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled, if it has to wait for a limited time.
    pub fn run<F, Fut, T, E>(&self, call: F) -> PolicyRun<'_, F, Fut>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: StackError + Debug + Display,
    {
        self.with(Class::new()).run(call)
    }

    /// Like [`run`](Policy::run), for an error type that cannot hold a rejection.
    ///
    /// ```
    /// use seaworthy::Policy;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let policy = Policy::builder("parser").circuit_breaker(|circuit_breaker| circuit_breaker).build()?;
    /// assert_eq!(policy.run_wrapped(|| async { "7".parse::<u8>() }).await?, 7);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The last attempt's own error in [`Error::Inner`](crate::Error::Inner), or a rejection of one of the parts.
    ///
    /// # Cancellation
    /// As [`run`](Policy::run).
    ///
    /// # Panics
    /// As [`run`](Policy::run).
    pub fn run_wrapped<F, Fut, T, E>(&self, call: F) -> impl Future<Output = Result<T, Error<E>>>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Debug + Display,
    {
        self.with(Class::new()).run_wrapped(call)
    }

    /// Like [`run`](Policy::run), for calls that need mutable access to something, such as a connection: it is lent to
    /// each attempt in turn, and comes back when the attempt ends, is given up or fails. Costs an allocation.
    ///
    /// The future is `Send` if everything it holds is. For shared borrows, [`run`](Policy::run) is enough.
    ///
    /// ```
    /// use seaworthy::{BoxError, Policy};
    ///
    /// struct Connection { sent: Vec<&'static str> }
    ///
    /// impl Connection {
    ///     async fn execute(&mut self, query: &'static str) -> Result<usize, BoxError> {
    ///         self.sent.push(query);
    ///         Ok(self.sent.len())
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// let policy = Policy::builder("store")
    ///     .circuit_breaker(|circuit_breaker| circuit_breaker)
    ///     .retry(|retry| retry)
    ///     .build()?;
    /// let mut connection = Connection { sent: Vec::new() };
    /// let rows = policy.run_mut(&mut connection, async |mut connection| connection.execute("select 1").await).await?;
    /// assert_eq!((rows, connection.sent), (1, vec!["select 1"]));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`run`](Policy::run).
    ///
    /// # Cancellation
    /// As [`run`](Policy::run).
    ///
    /// # Panics
    /// As [`run`](Policy::run), and if a call keeps what it was lent, fails, and is to be retried.
    pub fn run_mut<'s, S, F, Fut, T, E>(&self, state: &'s mut S, call: F) -> impl Future<Output = Result<T, E>>
    where
        S: ?Sized,
        F: FnMut(Lent<'s, S>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: StackError + Debug + Display,
    {
        self.with(Class::new()).run_mut(state, call)
    }

    /// Calls of a class; [`run`](Policy::run) is for the usual ones.
    pub fn with(&self, class: Class) -> PolicyCall<'_> {
        PolicyCall::new(self, class)
    }

    /// Everything there is to know about its parts, one part after another, each at one moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            circuit_breaker: self.circuit_breaker().map(CircuitBreaker::snapshot),
            bulkhead: self.bulkhead().map(Bulkhead::snapshot),
            retry_balance: self.retry_policy().and_then(RetryPolicy::budget).map(RetryBudget::balance),
        }
    }
}

impl Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { name, circuit_breaker, bulkhead, timeout, total_timeout, retry, .. } = self.parts();
        f.debug_struct("Policy")
            .field("name", name)
            .field("total_timeout", total_timeout)
            .field("retry", retry)
            .field("circuit_breaker", circuit_breaker)
            .field("bulkhead", bulkhead)
            .field("timeout", timeout)
            .finish_non_exhaustive()
    }
}

/// A policy at one moment. Parts that it does not have are `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The circuit breaker.
    pub circuit_breaker: Option<circuit_breaker::Snapshot>,
    /// The bulkhead.
    pub bulkhead: Option<bulkhead::Snapshot>,
    /// How many retries the budget has tokens for. Also `None` if retries are free.
    pub retry_balance: Option<u64>,
}
