use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::Error;

/// The same calls, each error of which is an [`Error::Inner`].
pub(crate) fn wrapped<F, Fut, T, E>(mut call: F) -> impl FnMut() -> LiftFuture<Fut>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    move || LiftFuture::new(call())
}

/// Passes requests and responses as they are and makes an error `E` of the inner service an [`Error::Inner`], so that
/// the layers above can add their rejections.
///
/// Put it once, at the bottom of a stack whose service has an error type of its own.
///
/// ```
/// use seaworthy::{Circuit, Error, LiftLayer};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let circuit = Circuit::builder("parser").build()?;
/// let service = ServiceBuilder::new()
///     .layer(circuit.layer())
///     .layer(LiftLayer::new())
///     .service(service_fn(|text: &'static str| async move { text.parse::<u8>() }));
///
/// assert_eq!(service.clone().oneshot("7").await, Ok(7));
/// assert!(matches!(service.oneshot("x").await, Err(Error::Inner(_))));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct LiftLayer(());

impl LiftLayer {
    /// The layer; it has no settings.
    #[must_use]
    pub const fn new() -> LiftLayer {
        LiftLayer(())
    }
}

impl<S> Layer<S> for LiftLayer {
    type Service = Lift<S>;

    fn layer(&self, inner: S) -> Lift<S> {
        Lift { inner }
    }
}

/// The service that [`LiftLayer`] makes.
#[derive(Clone, Copy, Debug)]
pub struct Lift<S> {
    inner: S,
}

impl<S, Request> Service<Request> for Lift<S>
where
    S: Service<Request>,
{
    type Response = S::Response;
    type Error = Error<S::Error>;
    type Future = LiftFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Error::Inner)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        LiftFuture::new(self.inner.call(request))
    }
}

pin_project! {
    /// A future whose errors are lifted: the response future of [`Lift`], and what `run_wrapped` runs.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct LiftFuture<F> {
        #[pin]
        inner: F,
    }
}

impl<F> LiftFuture<F> {
    pub(crate) fn new(inner: F) -> LiftFuture<F> {
        LiftFuture { inner }
    }
}

impl<F, T, E> Future for LiftFuture<F>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, Error<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().inner.poll(cx).map_err(Error::Inner)
    }
}
