use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::held_body::{PermitBody, poll_held};
use crate::bulkhead::handle::Bulkhead;
use crate::bulkhead::{BulkheadLayer, BulkheadService, Permit, ResponseFuture};
use crate::error::StackError;
use crate::shared::CloneOrSharedLayer;

/// With feature `http`.
impl BulkheadLayer {
    /// Holds the permit of a call until its response body has ended or been dropped, rather than only until the
    /// response head.
    pub fn until_body_end(self) -> BodyBulkheadLayer {
        BodyBulkheadLayer::new(self)
    }
}

/// Puts a bulkhead around an HTTP service and holds a call's permit until the response body has ended or is dropped. A
/// plain [`BulkheadLayer`] releases the permit once the response head is there, however long the body takes.
///
/// Made by [`BulkheadLayer::until_body_end`].
///
/// ```
/// use seaworthy::{WrapErrorLayer, Bulkhead, http::RespondLayer};
/// use tower::ServiceBuilder;
///
/// # fn main() -> Result<(), seaworthy::ConfigError> {
/// let downloads = Bulkhead::builder("downloads").limit(100).build()?;
/// let app: axum::Router = axum::Router::new()
///     .route("/", axum::routing::get(async || "a large file"))
///     .layer(
///         ServiceBuilder::new()
///             .layer(RespondLayer::new())
///             .layer(downloads.layer().until_body_end())
///             .layer(WrapErrorLayer::new()),
///     );
/// # let _ = app;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct BodyBulkheadLayer {
    layer: BulkheadLayer,
}

impl BodyBulkheadLayer {
    /// Like `layer`, but permits are held until the body ends.
    pub fn new(layer: BulkheadLayer) -> BodyBulkheadLayer {
        BodyBulkheadLayer { layer }
    }
}

impl<S> Layer<S> for BodyBulkheadLayer {
    type Service = BodyBulkheadService<S>;

    fn layer(&self, inner: S) -> BodyBulkheadService<S> {
        BodyBulkheadService { bulkhead: self.layer.layer(inner) }
    }
}

/// Admits as many calls at a time as its [`Bulkhead`] has permits, and counts a call until its response body has ended
/// or is dropped. Otherwise the same as a [`BulkheadService`].
///
/// # Clone
/// A clone shares the permits; it is not ready just because the original is.
#[derive(Clone, Debug)]
pub struct BodyBulkheadService<S> {
    bulkhead: BulkheadService<S>,
}

impl<S> BodyBulkheadService<S> {
    /// The bulkhead that this service shares.
    pub fn bulkhead(&self) -> &Bulkhead {
        self.bulkhead.bulkhead()
    }

    accessors!(through self.bulkhead, "Calls made on it directly take no permit.");
}

impl<S, Request, B> Service<Request> for BodyBulkheadService<S>
where
    S: Service<Request, Response = Response<B>> + CloneOrSharedLayer,
    S::Error: StackError,
    B: Body,
{
    type Response = Response<PermitBody<B>>;
    type Error = S::Error;
    type Future = BodyBulkheadFuture<S::Future, S, Request>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.bulkhead.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        BodyBulkheadFuture { inner: self.bulkhead.call(request) }
    }
}

pin_project! {
    /// The response future of [`BodyBulkheadService`].
    ///
    /// # Cancellation
    /// Dropping it drops the inner future and then releases the permit, or leaves the queue.
    #[must_use = "futures do nothing unless polled"]
    pub struct BodyBulkheadFuture<F, S, Request> {
        #[pin]
        inner: ResponseFuture<F, S, Request>,
    }
}

impl<F, S, Request> fmt::Debug for BodyBulkheadFuture<F, S, Request> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyBulkheadFuture").field("inner", &self.inner).finish()
    }
}

impl<F, S, Request, B, E> Future for BodyBulkheadFuture<F, S, Request>
where
    F: Future<Output = Result<Response<B>, E>>,
    S: Service<Request, Response = Response<B>, Error = E, Future = F>,
    E: StackError,
    B: Body,
{
    type Output = Result<Response<PermitBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        poll_held(self.project().inner.project().call, cx, |response, held| {
            let permit = held.map(|(bulkhead, _)| Permit::new(bulkhead));
            response.map(|body| PermitBody::new(body, permit))
        })
    }
}
