use std::task::{Context, Poll};
use std::time::Duration;

use tower_service::Service;

use super::deadline_for::{Arrival, DeadlineFor, FixedDeadline};
use super::future::ResponseFuture;
use crate::context;
use crate::context::Deadline;
use crate::error::{DeadlineStage, StackError};
use crate::timeout::TimeoutNotifier;

/// Gives each request a deadline, and rejects those that come too late. Made by
/// [`DeadlineLayer`](crate::DeadlineLayer).
///
/// `poll_ready` is the inner service's: a deadline begins with a request.
///
/// # Clone
/// Clones share nothing but the name and the observer.
#[derive(Clone, Debug)]
pub struct DeadlineService<S, D = FixedDeadline> {
    inner: S,
    deadline: D,
    least: Duration,
    notifier: TimeoutNotifier,
}

impl<S, D> DeadlineService<S, D> {
    pub(super) fn new(inner: S, deadline: D, least: Duration, notifier: TimeoutNotifier) -> DeadlineService<S, D> {
        DeadlineService { inner, deadline, least, notifier }
    }

    accessors!(self.inner, "Calls made on it directly get no deadline.");
}

impl<S, D, Request> Service<Request> for DeadlineService<S, D>
where
    S: Service<Request>,
    S::Error: StackError,
    D: DeadlineFor<Request>,
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
        let arrival = Arrival::default();
        let deadline = self.deadline.deadline_for(&request, &arrival);
        call_within(&mut self.inner, request, deadline, &arrival, self.least, &self.notifier)
    }
}

/// Makes a call within a deadline, which narrows the one that is current; or rejects it, if less than `least` is left.
#[inline]
pub(crate) fn call_within<S, Request>(
    inner: &mut S,
    request: Request,
    deadline: Option<Deadline>,
    arrival: &Arrival,
    least: Duration,
    notifier: &TimeoutNotifier,
) -> ResponseFuture<S::Future>
where
    S: Service<Request>,
{
    let deadline = deadline.unwrap_or(Deadline::NEVER).or_current();
    let moment = deadline.timestamp();
    if deadline == Deadline::NEVER {
        return ResponseFuture::made(moment, inner.call(request));
    }
    let now = arrival.now();
    let remaining = moment.since(now);
    notifier.arrived(remaining);
    if remaining.is_zero() || remaining < least {
        return ResponseFuture::too_late(notifier.deadline_exceeded(DeadlineStage::Arrival, now.since(moment)));
    }
    let _entered = context::enter_at(moment, now);
    ResponseFuture::made(moment, inner.call(request))
}
