use std::fmt::{Debug, Display};
use std::future::Future;

use tower_layer::Layer;

use super::layer::PolicyLayer;
use super::run::PolicyCall;
use crate::admission::classify::Classify;
use crate::error::StackError;
use crate::fallback::handle::Fallback;
use crate::fallback::{Answer, FallbackIf, FallbackService};
use crate::retry::decide::RetryIf;

impl<C, L, R> PolicyLayer<C, L, R> {
    /// Gives another answer to calls that the policy rejects, or that fail with whatever else `fallback`
    /// [covers](crate::fallback#what-is-covered). It comes after the last attempt, and none of the policy's parts
    /// learns of it.
    ///
    /// ```
    /// use seaworthy::{BoxError, Fallback, Policy};
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// let policy = Policy::builder("quotes").circuit_breaker(|circuit_breaker| circuit_breaker).build()?;
    /// let service = ServiceBuilder::new()
    ///     .layer(policy.layer().fallback(Fallback::value("last quotes", "as of yesterday").build()?))
    ///     .service(service_fn(async |()| Ok::<_, BoxError>("fresh")));
    ///
    /// assert_eq!(service.clone().oneshot(()).await?, "fresh");
    /// policy.circuit_breaker().ok_or("it has one")?.force_open();
    /// assert_eq!(service.oneshot(()).await?, "as of yesterday");
    /// # Ok(())
    /// # }
    /// ```
    pub fn fallback<A, W>(self, fallback: Fallback<A, W>) -> PolicyFallbackLayer<Self, A, W> {
        PolicyFallbackLayer { policy: self, fallback }
    }
}

/// Puts a policy around a service, and a fallback around both. Made by [`PolicyLayer::fallback`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct PolicyFallbackLayer<P, A, W> {
    policy: P,
    fallback: Fallback<A, W>,
}

impl<S, P: Layer<S>, A: Clone, W: Clone> Layer<S> for PolicyFallbackLayer<P, A, W> {
    type Service = FallbackService<P::Service, A, W>;

    fn layer(&self, inner: S) -> FallbackService<P::Service, A, W> {
        self.fallback.layer().layer(self.policy.layer(inner))
    }
}

impl<'a, C, D> PolicyCall<'a, C, D> {
    /// Gives another answer to calls that the policy rejects, or that fail with whatever else `fallback`
    /// [covers](crate::fallback#what-is-covered). It comes after the last attempt, and none of the policy's parts
    /// learns of it.
    ///
    /// ```
    /// use seaworthy::policy::Class;
    /// use seaworthy::{BoxError, Fallback, Policy};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// let policy = Policy::builder("quotes").circuit_breaker(|circuit_breaker| circuit_breaker).build()?;
    /// let fallback = Fallback::value("last quotes", "as of yesterday").build()?;
    /// policy.circuit_breaker().ok_or("it has one")?.force_open();
    /// let answer = policy.with(Class::new()).fallback(&fallback).run(|| async { Ok::<_, BoxError>("fresh") }).await;
    /// assert_eq!(answer?, "as of yesterday");
    /// # Ok(())
    /// # }
    /// ```
    pub fn fallback<A, W>(self, fallback: &'a Fallback<A, W>) -> PolicyFallbackCall<'a, C, D, A, W> {
        PolicyFallbackCall { call: self, fallback }
    }
}

/// Calls through a [`Policy`](crate::Policy) with a fallback. Made by [`PolicyCall::fallback`]; it borrows both.
#[derive(Debug)]
#[must_use = "nothing is called until `run`"]
pub struct PolicyFallbackCall<'a, C, D, A, W> {
    call: PolicyCall<'a, C, D>,
    fallback: &'a Fallback<A, W>,
}

impl<C, D, A, W> PolicyFallbackCall<'_, C, D, A, W> {
    /// Like [`Policy::run`](crate::Policy::run), and then the fallback for what it covers. There is no request: a
    /// fallback that takes one gets `()`.
    ///
    /// # Errors
    /// As [`Policy::run`](crate::Policy::run) if the error is not covered, or the fallback's.
    ///
    /// # Cancellation
    /// As [`Policy::run`](crate::Policy::run), or drops the running fallback.
    ///
    /// # Panics
    /// As [`Policy::run`](crate::Policy::run).
    pub fn run<F, Fut, T, E>(self, call: F) -> impl Future<Output = Result<T, E>>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        C: Classify<T, E>,
        D: RetryIf<T, E>,
        A: Answer<(), T, E> + Clone,
        W: FallbackIf<E> + Clone,
        E: StackError + Debug + Display,
    {
        self.fallback.run(self.call.run(call))
    }
}
