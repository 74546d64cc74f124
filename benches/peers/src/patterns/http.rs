//! A service dressed as HTTP, for layers that support nothing else.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

/// Takes the number out of a request, and puts the answer into a response.
#[derive(Clone)]
pub(super) struct Within<S>(pub(super) S);

/// The reverse, at the top.
#[derive(Clone)]
pub(super) struct Around<S>(pub(super) S);

impl<S: Service<u64>> Service<Request<u64>> for Within<S> {
    type Response = Response<S::Response>;
    type Error = S::Error;
    type Future = WithinFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<u64>) -> Self::Future {
        WithinFuture { inner: self.0.call(request.into_body()) }
    }
}

impl<S, T> Service<u64> for Around<S>
where
    S: Service<Request<u64>, Response = Response<T>>,
{
    type Response = T;
    type Error = S::Error;
    type Future = AroundFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: u64) -> Self::Future {
        AroundFuture { inner: self.0.call(Request::new(request)) }
    }
}

pin_project! {
    pub(super) struct WithinFuture<F> { #[pin] inner: F }
}

impl<F: Future<Output = Result<T, E>>, T, E> Future for WithinFuture<F> {
    type Output = Result<Response<T>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(ready!(self.project().inner.poll(cx)).map(Response::new))
    }
}

pin_project! {
    pub(super) struct AroundFuture<F> { #[pin] inner: F }
}

impl<F: Future<Output = Result<Response<T>, E>>, T, E> Future for AroundFuture<F> {
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(ready!(self.project().inner.poll(cx)).map(Response::into_body))
    }
}
