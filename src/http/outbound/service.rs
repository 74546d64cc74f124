use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Request;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::layer::Outbound;
use crate::context::Deadline;
use crate::deadline::future::MadeInTime;
use crate::error::StackError;

/// Tells the service below how much of the call's time is left. Made by [`OutboundLayer`](super::OutboundLayer).
///
/// `poll_ready` is the inner service's. Where it is too late, the inner service is not called.
#[derive(Clone, Debug)]
pub struct OutboundService<S> {
    inner: S,
    outbound: Outbound,
}

impl<S> OutboundService<S> {
    pub(super) fn new(inner: S, outbound: Outbound) -> OutboundService<S> {
        OutboundService { inner, outbound }
    }

    accessors!(self.inner, "Calls made on it directly say nothing of the time that is left.");
}

impl<S, B> Service<Request<B>> for OutboundService<S>
where
    S: Service<Request<B>>,
    S::Error: StackError,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = OutboundFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let stamped = Deadline::current().map_or(Ok(()), |it| self.outbound.stamp(it, request.headers_mut()));
        let call = match stamped {
            Ok(()) => MadeInTime::Made { inner: self.inner.call(request) },
            Err(rejected) => MadeInTime::too_late(rejected),
        };
        OutboundFuture { call }
    }
}

pin_project! {
    /// The response future of [`OutboundService`].
    #[must_use = "futures do nothing unless polled"]
    pub struct OutboundFuture<F> {
        #[pin]
        call: MadeInTime<F>,
    }
}

impl<F, T, E> Future for OutboundFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: StackError,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().call.poll_call(cx, "`OutboundFuture`")
    }
}

impl<F> fmt::Debug for OutboundFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboundFuture").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};
    use std::pin::pin;
    use std::task::Waker;
    use std::time::Duration;

    use tower::{Layer, service_fn};

    use super::*;
    use crate::error::BoxError;
    use crate::http::OutboundLayer;
    use crate::rt::time::readings;

    /// DL-14, X-07: one reading of the clock for a request with a deadline, and none for one without.
    #[test]
    fn clock_readings() {
        let mut service = OutboundLayer::new().layer(service_fn(|_| -> Ready<Result<(), BoxError>> { ready(Ok(())) }));
        assert_eq!(readings::during(|| drop(service.call(Request::new(())))).1, 0);
        let mut seen = None;
        let scope = Deadline::within(Duration::from_secs(1)).scope(async {
            seen = Some(readings::during(|| drop(service.call(Request::new(())))).1);
        });
        assert!(pin!(scope).poll(&mut Context::from_waker(Waker::noop())).is_ready());
        assert_eq!(seen, Some(1));
    }
}
