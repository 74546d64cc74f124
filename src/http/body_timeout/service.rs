use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::TimeoutBody;
use super::layer::BodyTimeoutLayer;
use crate::machine::timestamp::Timestamp;

/// Ends response bodies that take too long. Made by [`BodyTimeoutLayer`].
///
/// Requests, readiness and errors of the inner service pass unchanged.
#[derive(Clone, Debug)]
pub struct BodyTimeoutService<S> {
    inner: S,
    layer: BodyTimeoutLayer,
}

impl<S> BodyTimeoutService<S> {
    pub(super) fn new(inner: S, layer: BodyTimeoutLayer) -> BodyTimeoutService<S> {
        BodyTimeoutService { inner, layer }
    }

    accessors!(self.inner, "Bodies from calls made on it directly have no limits.");
}

impl<S, Request, B> Service<Request> for BodyTimeoutService<S>
where
    S: Service<Request, Response = Response<B>>,
    B: Body,
{
    type Response = Response<TimeoutBody<B>>;
    type Error = S::Error;
    type Future = BodyTimeoutFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        let deadline = self.layer.current_deadline();
        BodyTimeoutFuture { inner: self.inner.call(request), layer: self.layer.clone(), deadline }
    }
}

pin_project! {
    /// The response future of [`BodyTimeoutService`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct BodyTimeoutFuture<F> {
        #[pin]
        inner: F,
        layer: BodyTimeoutLayer,
        // Taken in `call`: a layer above may have made it current for the call only.
        deadline: Timestamp,
    }
}

impl<F, B, E> Future for BodyTimeoutFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<TimeoutBody<B>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.inner.poll(cx).map_ok(|response| response.map(|body| this.layer.wrap_until(*this.deadline, body)))
    }
}
