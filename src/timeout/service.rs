use std::task::{Context, Poll};

use tower_service::Service;

use super::future::ResponseFuture;
use super::limit::{FixedTimeout, TimeoutFor};
use super::notifier::TimeoutNotifier;
use crate::error::StackError;

/// Gives up on requests that are not answered in time. Made by [`TimeoutLayer`](crate::TimeoutLayer).
///
/// `poll_ready` is the inner service's, and no limit applies to it.
///
/// # Clone
/// Clones share nothing but the name and the observer.
#[derive(Clone, Debug)]
pub struct TimeoutService<S, D = FixedTimeout> {
    inner: S,
    limit: D,
    notifier: TimeoutNotifier,
}

impl<S, D> TimeoutService<S, D> {
    pub(super) fn new(inner: S, limit: D, notifier: TimeoutNotifier) -> TimeoutService<S, D> {
        TimeoutService { inner, limit, notifier }
    }

    accessors!(self.inner, "Calls made on it directly have no limit.");
}

impl<S, D, Request> Service<Request> for TimeoutService<S, D>
where
    S: Service<Request>,
    S::Error: StackError,
    D: TimeoutFor<Request>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        let after = self.limit.timeout_for(&request);
        ResponseFuture::new(self.inner.call(request), after, self.notifier.clone())
    }
}
