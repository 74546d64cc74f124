use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::held_body::{HeldBody, InFlightBody, poll_held};
use crate::error::StackError;
use crate::health::handle::Health;
use crate::health::{Exempt, InFlight, NoneExempt, ReadinessLayer, ReadinessService, ResponseFuture};
use crate::shared::CloneOrSharedLayer;

/// With feature `http`.
impl<X> ReadinessLayer<X> {
    /// Counts a request as in flight until its response body has ended or is dropped, rather than until the response
    /// head is there.
    pub fn until_body_end(self) -> BodyReadinessLayer<X> {
        BodyReadinessLayer::new(self)
    }
}

/// Lets requests into an HTTP service while it is ready, and counts each until its response body has ended or is
/// dropped. With a plain [`ReadinessLayer`] a request is no longer in flight once the response head is there, however
/// long the body takes.
///
/// Made by [`ReadinessLayer::until_body_end`]. Use it where nothing else waits for bodies at shutdown; the graceful
/// shutdown of a server such as hyper's does.
///
/// ```
/// use seaworthy::{Health, WrapErrorLayer, http::RespondLayer};
/// use tower::ServiceBuilder;
///
/// let health = Health::new();
/// let app: axum::Router = axum::Router::new()
///     .route("/", axum::routing::get(async || "a large file"))
///     .layer(
///         ServiceBuilder::new()
///             .layer(RespondLayer::new())
///             .layer(health.http_readiness_layer().until_body_end())
///             .layer(WrapErrorLayer::new()),
///     );
/// # let _ = app;
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct BodyReadinessLayer<X = NoneExempt> {
    layer: ReadinessLayer<X>,
}

impl<X> BodyReadinessLayer<X> {
    /// Like `layer`, but a request counts until the body ends.
    pub fn new(layer: ReadinessLayer<X>) -> BodyReadinessLayer<X> {
        BodyReadinessLayer { layer }
    }
}

impl<S, X: Clone> Layer<S> for BodyReadinessLayer<X> {
    type Service = BodyReadinessService<S, X>;

    fn layer(&self, inner: S) -> BodyReadinessService<S, X> {
        BodyReadinessService { readiness: self.layer.layer(inner) }
    }
}

/// Lets requests in while its [`Health`] is ready, and counts each until its response body has ended or is dropped.
/// Otherwise the same as a [`ReadinessService`].
///
/// # Clone
/// A clone shares the health; it is not ready just because the original is.
#[derive(Clone, Debug)]
pub struct BodyReadinessService<S, X = NoneExempt> {
    readiness: ReadinessService<S, X>,
}

impl<S, X> BodyReadinessService<S, X> {
    /// The health that this service shares.
    pub fn health(&self) -> &Health {
        self.readiness.health()
    }

    accessors!(through self.readiness, "Calls made on it directly are neither rejected nor counted.");
}

impl<S, X, Request, B> Service<Request> for BodyReadinessService<S, X>
where
    S: Service<Request, Response = Response<B>> + CloneOrSharedLayer,
    S::Error: StackError,
    X: Exempt<Request>,
    B: Body,
{
    type Response = Response<InFlightBody<B>>;
    type Error = S::Error;
    type Future = BodyReadinessFuture<S::Future, S, Request>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.readiness.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        BodyReadinessFuture { inner: self.readiness.call(request) }
    }
}

pin_project! {
    /// The response future of [`BodyReadinessService`].
    ///
    /// # Cancellation
    /// Dropping it drops the inner future, and the request is no longer in flight.
    #[must_use = "futures do nothing unless polled"]
    pub struct BodyReadinessFuture<F, S, Request> {
        #[pin]
        inner: ResponseFuture<F, S, Request>,
    }
}

impl<F, S, Request> fmt::Debug for BodyReadinessFuture<F, S, Request> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyReadinessFuture").field("inner", &self.inner).finish()
    }
}

impl<F, S, Request, B, E> Future for BodyReadinessFuture<F, S, Request>
where
    F: Future<Output = Result<Response<B>, E>>,
    S: Service<Request, Response = Response<B>, Error = E, Future = F>,
    E: StackError,
    B: Body,
{
    type Output = Result<Response<InFlightBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        poll_held(self.project().inner.project().call, cx, |response, held| {
            let in_flight = held.filter(|(_, entry)| entry.counted).map(|(health, _)| InFlight::new(health));
            response.map(|body| HeldBody::new(body, in_flight))
        })
    }
}
