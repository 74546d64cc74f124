use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::header::{CONNECTION, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::health::handle::Health;
use crate::machine::lifecycle::phase::Phase;

/// Closes kept-alive connections while the service is draining: every HTTP/1 response then carries `Connection: close`,
/// which both server and client obey. By the time the listener closes, clients have released their connections, and no
/// request is sent on one that is no longer read.
///
/// Made by [`Health::drain_layer`]. Put it around everything, health endpoints included. Responses over HTTP/2 are left
/// alone, because there the server itself says goodbye, and so are responses that upgrade the connection.
///
/// [`Serve`](crate::server::Serve) needs no such layer. For other servers:
///
/// ```
/// use seaworthy::{Health, Shutdown};
///
/// async fn serve(listener: tokio::net::TcpListener, health: Health, shutdown: Shutdown) -> std::io::Result<()> {
///     let app: axum::Router = axum::Router::new()
///         .route("/", axum::routing::get(async || "hello"))
///         .nest_service("/health", health.endpoints())
///         .layer(health.drain_layer());
///     axum::serve(listener, app).with_graceful_shutdown(shutdown.requested_owned()).await
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct DrainLayer {
    health: Health,
}

impl DrainLayer {
    /// Closes connections once `health` is draining, and from then on.
    pub fn new(health: Health) -> DrainLayer {
        DrainLayer { health }
    }
}

impl<S> Layer<S> for DrainLayer {
    type Service = DrainService<S>;

    fn layer(&self, inner: S) -> DrainService<S> {
        DrainService { inner, health: self.health.clone() }
    }
}

/// The service made by [`DrainLayer`].
#[derive(Clone, Debug)]
pub struct DrainService<S> {
    inner: S,
    health: Health,
}

impl<S, A, B> Service<Request<A>> for DrainService<S>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = DrainFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<A>) -> Self::Future {
        let health = may_close(&request).then(|| self.health.clone());
        DrainFuture { inner: self.inner.call(request), health }
    }
}

pin_project! {
    /// The response future of [`DrainService`].
    #[must_use = "futures do nothing unless polled"]
    pub struct DrainFuture<F> {
        #[pin]
        inner: F,
        // None where the connection must not be closed.
        health: Option<Health>,
    }
}

impl<F, B, E> Future for DrainFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.inner.poll(cx))?;
        if this.health.as_ref().is_some_and(is_draining) {
            close(&mut response);
        }
        Poll::Ready(Ok(response))
    }
}

impl<F> fmt::Debug for DrainFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DrainFuture").finish_non_exhaustive()
    }
}

/// Whether the response can close the connection: over HTTP/2 it has no say, and a tunnel no longer speaks HTTP.
#[inline]
pub(crate) fn may_close<A>(request: &Request<A>) -> bool {
    request.version() < Version::HTTP_2 && request.method() != Method::CONNECT
}

/// Whether kept-alive connections should be released.
#[inline]
pub(crate) fn is_draining(health: &Health) -> bool {
    health.phase() >= Phase::Draining
}

/// Closes the connection after this response, unless it is an upgrade, whose own `Connection` must stay.
pub(crate) fn close<B>(response: &mut Response<B>) {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
}
