use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tower_service::Service;

use super::again::WithRetry;
use super::attempts::{Attempts, PolicyCallState, Retrying, poll_attempts};
use super::handle::Policy;
use super::kept::{EndedAttempt, EndsWithResponse, GoesOn, PolicyKept};
use super::total::TotalClock;
use crate::admission::classify::Classify;
use crate::admission::{Admission, KeptCall};
use crate::error::StackError;
use crate::retry::Replay;
use crate::retry::decide::RetryIf;

pin_project! {
    /// The response future of [`PolicyService`](super::PolicyService) if it may retry.
    ///
    /// # Cancellation
    /// Dropping it counts as the circuit breaker's [`OnDrop`](crate::OnDrop) says, drops the inner future, and then
    /// releases the permit or leaves the queue. Nothing is tried after that; the token of a retry that was about to
    /// start is spent.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled, if it has to wait for a limited time.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, Request, C, D, R>
    where
        S: Service<R::Sent>,
        R: Replay<Request>,
    {
        #[pin]
        state: Attempts<S, R::Sent>,
        retrying: Option<Retrying<S, R::Kept>>,
        again: WithRetry<D, R>,
        total: TotalClock,
        // Without it, the call was refused for good.
        held: Option<(Policy, C)>,
    }

    impl<S, Request, C, D, R> PinnedDrop for ResponseFuture<S, Request, C, D, R>
    where
        S: Service<R::Sent>,
        R: Replay<Request>,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some((policy, _)) = this.held {
                this.state.abandon_within(this.total, policy);
            }
        }
    }
}

impl<S, Request, C, D, R> ResponseFuture<S, Request, C, D, R>
where
    S: Service<R::Sent>,
    C: Clone,
    R: Replay<Request>,
{
    #[inline(always)]
    pub(super) fn new(
        policy: &Policy,
        total: impl FnOnce() -> TotalClock,
        call: PolicyCallState<S, R::Sent>,
        retrying: Option<Retrying<S, R::Kept>>,
        classifier: &C,
        again: WithRetry<D, R>,
    ) -> Self {
        // A call that is rejected for good needs no handle and no clock.
        let ends = call.is_rejected() && retrying.is_none();
        let (held, total) =
            if ends { (None, TotalClock::NONE) } else { (Some((policy.clone(), classifier.clone())), total()) };
        ResponseFuture { state: Attempts::Calling { call }, retrying, again, total, held }
    }
}

impl<S, Request, C, D, R> ResponseFuture<S, Request, C, D, R>
where
    S: Service<R::Sent> + Clone,
    S::Error: StackError + Debug + Display,
    C: Classify<S::Response, S::Error>,
    D: RetryIf<S::Response, S::Error>,
    R: Replay<Request>,
{
    /// Whether the call goes on in its response body.
    pub(super) fn keeps(&self) -> bool {
        self.held.as_ref().is_some_and(|(policy, _)| policy.keeps())
    }

    /// Polls within the limits of the whole call.
    #[inline(never)]
    fn poll_within(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<S::Response, S::Error>> {
        let mut this = self.project();
        let Some(held) = this.held else { return Poll::Ready(Err(this.state.rejection().into())) };
        let _entered = this.total.enter();
        // The call comes first: a response that has arrived is never lost to the clock.
        let (state, retrying, attempt) = (this.state.as_mut(), this.retrying, &mut EndsWithResponse);
        let poll = poll_attempts::<_, Request, _, _, _>(state, retrying, this.again, held, this.total, cx, attempt);
        if poll.is_ready() {
            return poll;
        }
        let time_up = ready!(this.total.poll(cx));
        Poll::Ready(Err(this.state.give_up(&held.0, time_up).into()))
    }

    /// Like `poll`, but `kept` has what is held by a call that goes on in its response body.
    pub(super) fn poll_to_be_kept(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        kept: &mut PolicyKept,
    ) -> Poll<Result<S::Response, S::Error>> {
        let mut this = self.project();
        let Some(held) = this.held.as_ref() else { return Poll::Ready(Err(this.state.rejection().into())) };
        let _entered = this.total.enter();
        let (state, retrying) = (this.state.as_mut(), this.retrying);
        let (poll, goes_on) = {
            let mut attempt = GoesOn::default();
            let poll =
                poll_attempts::<_, Request, _, _, _>(state, retrying, this.again, held, this.total, cx, &mut attempt);
            (poll, attempt.take().map(EndedAttempt::keep))
        };
        if let Some((ticket, head)) = goes_on {
            kept.0 = this.held.take().map(|(admission, _)| KeptCall { admission, ticket, head });
            return poll;
        }
        if poll.is_ready() {
            return poll;
        }
        let time_up = ready!(this.total.poll(cx));
        let Some((policy, _)) = this.held else { return Poll::Pending };
        Poll::Ready(Err(this.state.give_up(policy, time_up).into()))
    }
}

impl<S, Request, C, D, R> Future for ResponseFuture<S, Request, C, D, R>
where
    S: Service<R::Sent> + Clone,
    S::Error: StackError + Debug + Display,
    C: Classify<S::Response, S::Error>,
    D: RetryIf<S::Response, S::Error>,
    R: Replay<Request>,
{
    type Output = Result<S::Response, S::Error>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Apart, because a scope around the attempts would cost the calls that have none.
        if self.total.is_some() {
            return self.poll_within(cx);
        }
        let mut this = self.project();
        let Some(held) = this.held else { return Poll::Ready(Err(this.state.rejection().into())) };
        let (state, retrying, attempt) = (this.state.as_mut(), this.retrying, &mut EndsWithResponse);
        poll_attempts::<_, Request, _, _, _>(state, retrying, this.again, held, this.total, cx, attempt)
    }
}

impl<S, Request, C, D, R> Debug for ResponseFuture<S, Request, C, D, R>
where
    S: Service<R::Sent>,
    R: Replay<Request>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            Attempts::Calling { call } => call.name(),
            Attempts::Between { .. } => "between two attempts",
        };
        f.debug_struct("ResponseFuture").field("state", &state).finish_non_exhaustive()
    }
}
