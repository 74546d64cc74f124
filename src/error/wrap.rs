use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::error::Error;

/// Makes the same calls, with each error wrapped in [`Error::Inner`].
pub(crate) fn wrapped<F, Fut, T, E>(mut call: F) -> impl FnMut() -> WrapErrorFuture<Fut>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    move || WrapErrorFuture::new(call())
}

/// Passes requests and responses unchanged, and wraps an error `E` of the inner service in [`Error::Inner`], so that
/// the layers above can add their rejections.
///
/// Put it in once, at the bottom of a stack whose service has its own error type.
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
    /// A new layer; it has no settings.
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

/// The service made by [`WrapErrorLayer`].
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
    /// A future whose errors are wrapped: the response future of [`WrapError`], and the future that `run_wrapped`
    /// awaits.
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
