//! The cheapest conceivable timeouts, written by hand.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use seaworthy::Rejected;
use tokio::time::Sleep;
use tower::Service;

/// The floor: a timeout that notifies no observer, has one limit, and keeps its timer in the future.
#[derive(Clone)]
pub(crate) struct FloorInline<S>(pub S, pub Duration);

pin_project! {
    pub struct FloorInlineFuture<F> { #[pin] inner: F, after: Duration, #[pin] timer: Option<Sleep> }
}

impl<F: Future<Output = Result<T, E>>, T, E: From<Rejected>> Future for FloorInlineFuture<F> {
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Poll::Ready(result) = this.inner.poll(cx) {
            return Poll::Ready(result);
        }
        let after = *this.after;
        if this.timer.is_none() {
            this.timer.set(Some(tokio::time::sleep(after)));
        }
        this.timer
            .as_pin_mut()
            .expect("just set")
            .poll(cx)
            .map(|()| Err(Rejected::TimedOut { after: after.into(), timeout: None }.into()))
    }
}

impl<S: Service<R, Error = E>, E: From<Rejected>, R> Service<R> for FloorInline<S> {
    type Response = S::Response;
    type Error = E;
    type Future = FloorInlineFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        self.0.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: R) -> Self::Future {
        FloorInlineFuture { inner: self.0.call(request), after: self.1, timer: None }
    }
}

/// The same, with a boxed timer.
#[derive(Clone)]
pub(crate) struct FloorBoxed<S>(pub S, pub Duration);

pin_project! {
    pub struct FloorBoxedFuture<F> { #[pin] inner: F, after: Duration, timer: Option<Pin<Box<Sleep>>> }
}

impl<F: Future<Output = Result<T, E>>, T, E: From<Rejected>> Future for FloorBoxedFuture<F> {
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(result) = this.inner.poll(cx) {
            return Poll::Ready(result);
        }
        let after = *this.after;
        let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(after)));
        timer.as_mut().poll(cx).map(|()| Err(Rejected::TimedOut { after: after.into(), timeout: None }.into()))
    }
}

impl<S: Service<R, Error = E>, E: From<Rejected>, R> Service<R> for FloorBoxed<S> {
    type Response = S::Response;
    type Error = E;
    type Future = FloorBoxedFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        self.0.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: R) -> Self::Future {
        FloorBoxedFuture { inner: self.0.call(request), after: self.1, timer: None }
    }
}
