use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tower_service::Service;

use super::handle::Policy;
use super::kept::{OfPolicy, PolicyFuture, PolicyKept};
use super::total::TotalClock;
use crate::admission::call::AdmissionCall;
use crate::admission::call_state::CallState;
use crate::admission::classify::Classify;
use crate::admission::late::LateCall;
use crate::error::StackError;
use crate::rt::time::TimeUp;

pub(super) type Late<S, Request> = Box<LateCall<Policy, S, Request>>;

pin_project! {
    /// The response future of [`PolicyService`](super::PolicyService) if it never retries.
    ///
    /// # Cancellation
    /// Dropping it counts as the circuit breaker's [`OnDrop`](crate::OnDrop) says, drops the inner future, and then
    /// releases the permit or leaves the queue.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled, if it has to wait for a limited time.
    #[must_use = "futures do nothing unless polled"]
    pub struct OnceFuture<F, S, Request, C> {
        #[pin]
        call: AdmissionCall<Policy, F, Late<S, Request>, C>,
        total: TotalClock,
    }

    impl<F, S, Request, C> PinnedDrop for OnceFuture<F, S, Request, C> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            // Otherwise the call sees to itself.
            if this.total.is_some() {
                abandon_in_scope(this.call, this.total);
            }
        }
    }
}

#[cold]
fn abandon_in_scope<F, S, Request, C>(
    call: Pin<&mut AdmissionCall<Policy, F, Late<S, Request>, C>>,
    total: &TotalClock,
) {
    let _entered = total.enter();
    call.abandon();
}

impl<F, S, Request, C> OnceFuture<F, S, Request, C> {
    #[inline(always)]
    pub(super) fn new(
        state: CallState<Policy, F, Late<S, Request>>,
        held: Option<(&Policy, C)>,
        total: impl FnOnce() -> TotalClock,
    ) -> Self {
        // A call that was rejected needs no clock.
        let total = if held.is_some() { total() } else { TotalClock::NONE };
        OnceFuture {
            call: AdmissionCall::new(state, held.map(|(policy, classifier)| (policy.clone(), classifier))),
            total,
        }
    }
}

/// The time of the whole call is up.
#[cold]
fn give_up<F, S, Request, C, E: StackError>(
    call: Pin<&mut AdmissionCall<Policy, F, Late<S, Request>, C>>,
    time_up: TimeUp,
) -> Option<E> {
    call.abandon().map(|policy| policy.timed_out(time_up).into())
}

impl<F, S, Request, C> OfPolicy for OnceFuture<F, S, Request, C> {}

impl<F, S, Request, C, T, E> PolicyFuture for OnceFuture<F, S, Request, C>
where
    S: Service<Request, Response = T, Error = E, Future = F> + Clone,
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    E: StackError,
{
    fn poll_kept(self: Pin<&mut Self>, cx: &mut Context<'_>, kept: &mut PolicyKept) -> Poll<Self::Output> {
        let mut this = self.project();
        let _entered = this.total.enter();
        let poll = this.call.as_mut().poll_keeping(cx, &mut kept.0);
        if poll.is_ready() {
            return poll;
        }
        let time_up = ready!(this.total.poll(cx));
        give_up(this.call, time_up).map_or(Poll::Pending, |error| Poll::Ready(Err(error)))
    }
}

impl<F, S, Request, C, T, E> Future for OnceFuture<F, S, Request, C>
where
    S: Service<Request, Response = T, Error = E, Future = F> + Clone,
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    E: StackError,
{
    type Output = Result<T, E>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Apart, because a scope around the call would cost those that have none.
        if self.total.is_some() {
            return self.poll_within(cx);
        }
        self.project().call.poll(cx)
    }
}

impl<F, S, Request, C, T, E> OnceFuture<F, S, Request, C>
where
    S: Service<Request, Response = T, Error = E, Future = F> + Clone,
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    E: StackError,
{
    /// Polls within the limits of the whole call.
    #[inline(never)]
    fn poll_within(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let mut this = self.project();
        let _entered = this.total.enter();
        // The call comes first: a response that has arrived is never lost to the clock.
        let poll = this.call.as_mut().poll(cx);
        if poll.is_ready() {
            return poll;
        }
        let time_up = ready!(this.total.poll(cx));
        give_up(this.call, time_up).map_or(Poll::Pending, |error| Poll::Ready(Err(error)))
    }
}

impl<F, S, Request, C> fmt::Debug for OnceFuture<F, S, Request, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceFuture").field("state", &self.call.state().name()).finish_non_exhaustive()
    }
}
