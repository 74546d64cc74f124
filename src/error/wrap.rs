use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::error::Error;

/// The same calls, each error of which is an [`Error::Inner`].
pub(crate) fn wrapped<F, Fut, T, E>(mut call: F) -> impl FnMut() -> WrapErrorFuture<Fut>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    move || WrapErrorFuture::new(call())
}

/// Passes requests and responses as they are and makes an error `E` of the inner service an [`Error::Inner`], so that
/// the layers above can add their rejections.
///
/// Put it once, at the bottom of a stack whose service has an error type of its own.
///
/// ```
/// use seaworthy::{CircuitBreaker, Error, WrapErrorLayer};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let circuit_breaker = CircuitBreaker::builder("parser").build()?;
/// let service = ServiceBuilder::new()
///     .layer(circuit_breaker.layer())
///     .layer(WrapErrorLayer::new())
///     .service(service_fn(|text: &'static str| async move { text.parse::<u8>() }));
///
/// assert_eq!(service.clone().oneshot("7").await, Ok(7));
/// assert!(matches!(service.oneshot("x").await, Err(Error::Inner(_))));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct WrapErrorLayer(());

impl WrapErrorLayer {
    /// The layer; it has no settings.
    #[must_use]
    pub const fn new() -> WrapErrorLayer {
        WrapErrorLayer(())
    }
}

impl<S> Layer<S> for WrapErrorLayer {
    type Service = WrapError<S>;

    fn layer(&self, inner: S) -> WrapError<S> {
        WrapError { inner }
    }
}

/// The service that [`WrapErrorLayer`] makes.
#[derive(Clone, Copy, Debug)]
pub struct WrapError<S> {
    inner: S,
}

impl<S, Request> Service<Request> for WrapError<S>
where
    S: Service<Request>,
{
    type Response = S::Response;
    type Error = Error<S::Error>;
    type Future = WrapErrorFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Error::Inner)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        WrapErrorFuture::new(self.inner.call(request))
    }
}

pin_project! {
    /// A future whose errors are lifted: the response future of [`WrapError`], and what `run_wrapped` runs.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct WrapErrorFuture<F> {
        #[pin]
        inner: F,
    }
}

impl<F> WrapErrorFuture<F> {
    pub(crate) fn new(inner: F) -> WrapErrorFuture<F> {
        WrapErrorFuture { inner }
    }
}

impl<F, T, E> Future for WrapErrorFuture<F>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, Error<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().inner.poll(cx).map_err(Error::Inner)
    }
}
