//! What gives up.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use seaworthy::Rejected;
use tokio::time::Sleep;
use tower::Service;

/// Has one limit, notifies no observer, and makes its timer, in a box, when the inner future is pending.
#[derive(Clone)]
pub(super) struct Timeout<S>(pub(super) S, pub(super) Duration);

pin_project! {
    pub(super) struct TimeoutFuture<F> { #[pin] inner: F, after: Duration, timer: Option<Pin<Box<Sleep>>> }
}

impl<F: Future<Output = Result<T, E>>, T, E: From<Rejected>> Future for TimeoutFuture<F> {
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(result) = this.inner.poll(cx) {
            return Poll::Ready(result);
        }
        let after = *this.after;
        let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(after)));
        timer.as_mut().poll(cx).map(|()| Err(late(after)))
    }
}

#[cold]
fn late<E: From<Rejected>>(after: Duration) -> E {
    Rejected::TimedOut { after: after.into(), timeout: Default::default() }.into()
}

impl<S: Service<R, Error = E>, E: From<Rejected>, R> Service<R> for Timeout<S> {
    type Response = S::Response;
    type Error = E;
    type Future = TimeoutFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        self.0.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: R) -> Self::Future {
        TimeoutFuture { inner: self.0.call(request), after: self.1, timer: None }
    }
}
