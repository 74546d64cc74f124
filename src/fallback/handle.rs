use std::fmt::{Debug, Display};
use std::future::Future;
use std::sync::Arc;

use super::answer::{Answer, Function, Other, RequestFunction, Value};
use super::builder::FallbackBuilder;
use super::fallback_if::{FallbackIf, Rejections};
use super::future::{FallbackParts, ResponseFuture};
use super::layer::FallbackLayer;
use crate::error::Error;
use crate::error::wrap::WrapErrorFuture;
use crate::name::Name;
use crate::observe::event::{ErrorRef, FallbackEvent};
use crate::observe::notifier::Notifier;
use crate::observe::source::{ObserverCache, Source};
use crate::retry::CloneReplay;

/// Gives another answer to calls that failed, for the errors that it [covers](super#what-is-covered).
///
/// ```
/// use seaworthy::{BoxError, CircuitBreaker, Fallback};
/// use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let circuit_breaker = CircuitBreaker::builder("quotes").build()?;
/// let mut service = ServiceBuilder::new()
///     .layer(Fallback::value("last quotes", "as of yesterday").build()?.layer())
///     .layer(circuit_breaker.layer())
///     .service(service_fn(async |is_ill: bool| match is_ill {
///         true => Err::<&'static str, BoxError>("down".into()),
///         false => Ok("fresh"),
///     }));
///
/// assert_eq!(service.ready().await?.call(false).await?, "fresh");
/// // The backend's own error is not covered, unless `when` says so.
/// assert_eq!(service.ready().await?.call(true).await.unwrap_err().to_string(), "down");
/// circuit_breaker.force_open();
/// assert_eq!(service.ready().await?.call(false).await?, "as of yesterday");
/// # Ok(())
/// # }
/// ```
///
/// # Clone
/// Clones the answer, which for a value costs a reference count, and what decides when to give it; the name and the
/// observer cost one more reference count.
#[derive(Clone, Debug)]
pub struct Fallback<A, W = Rejections> {
    answer: A,
    when: W,
    notifier: FallbackNotifier,
}

/// Reports that a call fell back.
#[derive(Clone, Debug)]
pub(super) struct FallbackNotifier(Arc<(Name, Notifier, ObserverCache)>);

impl FallbackNotifier {
    pub(super) fn new(name: Name, notifier: Notifier) -> FallbackNotifier {
        let cache = ObserverCache::default();
        notifier.notify_of_calls(|| FallbackEvent::Built { name: &name, source: Source::new(None, &cache) });
        FallbackNotifier(Arc::new((name, notifier, cache)))
    }

    #[cold]
    pub(super) fn notify<E: Debug + Display>(&self, error: &E) {
        let (name, notifier, cache) = &*self.0;
        notifier.notify(FallbackEvent::FellBack {
            name,
            source: Source::new(None, cache),
            error: ErrorRef::new(error),
        });
    }
}

impl<T> Fallback<Value<T>> {
    /// Answers with a clone of `value`; `name` appears in events.
    pub fn value(name: impl Into<Name>, value: T) -> FallbackBuilder<Value<T>> {
        FallbackBuilder::new(name.into(), Value::new(value))
    }
}

impl<F> Fallback<Function<F>> {
    /// Answers with what `function` makes of the error: a response, or an error, which may be the same one.
    ///
    /// ```
    /// use seaworthy::{BoxError, Fallback, StackError};
    ///
    /// let layer = Fallback::function("apology", |error: BoxError| {
    ///     match error.rejected().and_then(|rejected| rejected.retry_after()) {
    ///         Some(time) => Ok(format!("come back in {time:?}")),
    ///         None => Err(error),
    ///     }
    /// });
    /// # let _ = layer.build()?;
    /// # Ok::<(), seaworthy::ConfigError>(())
    /// ```
    pub fn function<T, E>(name: impl Into<Name>, function: F) -> FallbackBuilder<Function<F>>
    where
        F: Fn(E) -> Result<T, E>,
    {
        FallbackBuilder::new(name.into(), Function(function))
    }
}

impl<F> Fallback<RequestFunction<F>> {
    /// Answers with what `function` makes of the error and a copy of the request. Each request is cloned when it
    /// arrives, unless [`replay`](FallbackBuilder::replay) says otherwise; one that cannot be copied has no fallback.
    pub fn request_function<Request, T, E>(name: impl Into<Name>, function: F) -> FallbackBuilder<RequestFunction<F>>
    where
        F: Fn(E, Request) -> Result<T, E>,
    {
        FallbackBuilder::new(name.into(), RequestFunction { function, replay: CloneReplay })
    }
}

impl<S> Fallback<Other<S>> {
    /// Answers from another service. It is made ready only when it is needed and called at most once per request. Its
    /// result is final: the caller gets its error, and only the observer learns of the first one.
    ///
    /// Each request is cloned when it arrives, unless [`replay`](FallbackBuilder::replay) says otherwise; one that
    /// cannot be copied has no fallback. Each call holds a clone of the service.
    pub fn service(name: impl Into<Name>, service: S) -> FallbackBuilder<Other<S>> {
        FallbackBuilder::new(name.into(), Other { service, replay: CloneReplay })
    }
}

impl<A: Clone, W: Clone> Fallback<A, W> {
    /// A layer that puts this fallback around a service.
    pub fn layer(&self) -> FallbackLayer<A, W> {
        FallbackLayer::from(self.clone())
    }
}

impl<A, W> Fallback<A, W> {
    pub(super) fn built(answer: A, when: W, notifier: FallbackNotifier) -> Fallback<A, W> {
        Fallback { answer, when, notifier }
    }

    /// The name it was built with.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.notifier.0.0
    }

    /// Whether it would answer a call that failed with `error`.
    #[must_use]
    pub fn covers<E>(&self, error: &E) -> bool
    where
        W: FallbackIf<E>,
    {
        self.when.covers(error)
    }

    /// Runs a future, and falls back if it fails with a covered error. There is no request: a function of the request,
    /// or another service, gets `()`.
    ///
    /// # Errors
    /// The future's own error if it is not covered, or the fallback's.
    ///
    /// # Cancellation
    /// Dropping it drops `future`, or the running fallback.
    ///
    /// ```
    /// use seaworthy::{CircuitBreaker, Error, Fallback};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let circuit_breaker = CircuitBreaker::builder("parser").build()?;
    /// let fallback = Fallback::value("zero", 0).build()?;
    /// circuit_breaker.force_open();
    /// let answer = fallback.run(circuit_breaker.run(async { "7".parse::<u8>().map_err(Error::Inner) })).await;
    /// assert_eq!(answer, Ok(0));
    /// # Ok(())
    /// # }
    /// ```
    pub fn run<F, T, E>(&self, future: F) -> ResponseFuture<F, A, W, (), T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: Debug + Display,
        A: Answer<(), T, E> + Clone,
        W: FallbackIf<E> + Clone,
    {
        let (_sent, kept) = self.answer.keep(());
        ResponseFuture::new(future, kept.map(|kept| self.spare(kept)))
    }

    /// Like [`run`](Fallback::run), for an error type that cannot hold a rejection: `when` sees the [`Error`] that
    /// wraps it.
    ///
    /// # Errors
    /// The future's own error as [`Error::Inner`] if it is not covered, or the fallback's.
    ///
    /// # Cancellation
    /// As [`run`](Fallback::run).
    pub fn run_wrapped<F, T, E>(&self, future: F) -> ResponseFuture<WrapErrorFuture<F>, A, W, (), T, Error<E>>
    where
        F: Future<Output = Result<T, E>>,
        E: Debug + Display,
        A: Answer<(), T, Error<E>> + Clone,
        W: FallbackIf<Error<E>> + Clone,
    {
        self.run(WrapErrorFuture::new(future))
    }

    /// What a call needs to fall back.
    #[inline]
    pub(super) fn spare<K>(&self, kept: K) -> FallbackParts<A, W, K>
    where
        A: Clone,
        W: Clone,
    {
        FallbackParts { answer: self.answer.clone(), when: self.when.clone(), notifier: self.notifier.clone(), kept }
    }

    pub(super) fn answer(&self) -> &A {
        &self.answer
    }
}
