use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tower_service::Service;

use super::again::WithRetry;
use super::class::Class;
use super::gate::PolicyGate;
use super::handle::Policy;
use super::pass::Pass;
use super::stage::AttemptStage;
use super::whole::PolicyTotal;
use crate::circuit_breaker::classify::Classify;
use crate::error::StackError;
use crate::machine::retry::attempts::{Progress, StopReason};
use crate::observe::event::ErrorRef;
use crate::retry::decide::RetryIf;
use crate::retry::{Ask, Pause, Replay};
use crate::rt::panic::polled_again;

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
        whole: PolicyTotal<Attempts<S, Request, C, D, R>>,
    }
}

pin_project! {
    /// One attempt after another.
    struct Attempts<S, Request, C, D, R>
    where
        S: Service<R::Sent>,
        R: Replay<Request>,
    {
        #[pin]
        state: PolicyStage<S::Future, S, R::Sent>,
        retrying: Option<Retrying<S, R::Kept>>,
        classifier: C,
        again: WithRetry<D, R>,
        // Last, so that the permit is released after the inner future was dropped. `None` if nothing is held and
        // nothing will be.
        pass: Option<Pass<Policy>>,
    }

    impl<S, Request, C, D, R> PinnedDrop for Attempts<S, Request, C, D, R>
    where
        S: Service<R::Sent>,
        R: Replay<Request>,
    {
        fn drop(this: Pin<&mut Self>) {
            // Before the inner future is dropped, because that may take a while.
            if let Some(pass) = this.project().pass {
                pass.settle_dropped();
            }
        }
    }
}

pin_project! {
    #[project = PolicyStageProj]
    enum PolicyStage<F, S, Sent> {
        Calling { #[pin] stage: AttemptStage<F, S, Sent> },
        // The wait between two attempts, and then the service's readiness.
        Between { pause: Pause, sent: Option<Sent> },
    }
}

/// A request that may be retried.
pub(super) struct Retrying<S, Kept> {
    pub(super) progress: Progress,
    pub(super) class: Class,
    pub(super) spare: Option<PolicyRetryParts<S, Kept>>,
}

/// Another attempt, or `None` if there is nothing to make it from.
type Made<F, S, Sent, E> = Poll<Result<Option<AttemptStage<F, S, Sent>>, E>>;

/// What retries need.
pub(super) struct PolicyRetryParts<S, Kept> {
    pub(super) service: S,
    /// Released when the last attempt starts, so that no copy is kept of what it is sending.
    pub(super) kept: Option<Kept>,
}

impl<S, Request, C, D, R> ResponseFuture<S, Request, C, D, R>
where
    S: Service<R::Sent>,
    R: Replay<Request>,
{
    #[inline]
    pub(super) fn new(
        pass: Pass<&Policy>,
        total: Option<Duration>,
        stage: AttemptStage<S::Future, S, R::Sent>,
        retrying: Option<Retrying<S, R::Kept>>,
        classifier: C,
        again: WithRetry<D, R>,
    ) -> Self {
        // A call that is rejected for good needs no handle and no clock.
        let ends = stage.is_rejected() && retrying.is_none();
        let (policy, total) = (pass.policy_ref(), if ends { None } else { total });
        let pass = if ends { None } else { Some(pass.into_owned()) };
        let attempts = Attempts { state: PolicyStage::Calling { stage }, retrying, classifier, again, pass };
        ResponseFuture { whole: PolicyTotal::new(policy, total, attempts) }
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

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().whole.poll(cx)
    }
}

impl<S, Request, C, D, R> Future for Attempts<S, Request, C, D, R>
where
    S: Service<R::Sent> + Clone,
    S::Error: StackError + Debug + Display,
    C: Classify<S::Response, S::Error>,
    D: RetryIf<S::Response, S::Error>,
    R: Replay<Request>,
{
    type Output = Result<S::Response, S::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let result = match this.state.as_mut().project() {
                PolicyStageProj::Calling { stage } => ready!(stage.poll(cx, this.pass.as_mut(), this.classifier)),
                PolicyStageProj::Between { pause, sent } => {
                    ready!(Pin::new(pause).poll(cx));
                    let (Some(retrying), Some(pass), true) =
                        (this.retrying.as_mut(), this.pass.as_mut(), sent.is_some())
                    else {
                        polled_again("`ResponseFuture`");
                    };
                    match ready!(retrying.poll_again(cx, pass, sent)) {
                        Ok(Some(stage)) => this.state.set(PolicyStage::Calling { stage }),
                        Ok(None) => {}
                        Err(error) => return Poll::Ready(Err(error)),
                    }
                    continue;
                }
            };
            let (Some(retrying), Some(pass)) = (this.retrying.as_mut(), this.pass.as_ref()) else {
                return Poll::Ready(result);
            };
            let Some(retry) = pass.policy().retry_policy() else {
                return Poll::Ready(result);
            };
            let decision = this.again.retry_if.retry_if(&result);
            let replay = &this.again.replay;
            let kept = retrying.spare.as_ref().and_then(|spare| spare.kept.as_ref());
            let mut sent = None;
            let again = |ask| match (ask, kept) {
                (_, None) => false,
                (Ask::IsPossible, Some(kept)) => replay.is_possible(kept),
                (Ask::Prepare, Some(kept)) => {
                    sent = replay.again(kept);
                    sent.is_some()
                }
            };
            let Some(pause) = retry.next(&mut retrying.progress, decision, &result, again) else {
                return Poll::Ready(result);
            };
            // Whatever the failed attempt holds is released before the wait.
            this.state.set(PolicyStage::Between { pause, sent });
            drop(result);
        }
    }
}

impl<S, Kept> Retrying<S, Kept> {
    /// Drives the spare service to readiness and makes another attempt.
    fn poll_again<Sent>(
        &mut self,
        cx: &mut Context<'_>,
        pass: &mut Pass<Policy>,
        sent: &mut Option<Sent>,
    ) -> Made<S::Future, S, Sent, S::Error>
    where
        S: Service<Sent> + Clone,
        S::Error: Debug + Display,
    {
        let Retrying { progress, class, spare } = self;
        let (Some(PolicyRetryParts { service, kept }), Some(retry)) = (spare, pass.policy().retry_policy()) else {
            return Poll::Ready(Ok(None));
        };
        let mut gate = PolicyGate::default();
        if let Err(error) = ready!(gate.poll_ready(service, pass.policy(), *class, cx)) {
            *sent = None;
            // The attempt that was being prepared was never made.
            let made = Progress { attempts: progress.attempts - 1, ..*progress };
            retry.stopped(made, StopReason::NotReady, Some(ErrorRef::new(&error)));
            return Poll::Ready(Err(error));
        }
        let Some(sent) = sent.take() else {
            return Poll::Ready(Ok(None));
        };
        if retry.is_last(progress) {
            *kept = None;
        }
        let (another, stage) = gate.call(service, pass.policy(), *class, sent);
        let taken = another.into_taken();
        pass.put(taken);
        Poll::Ready(Ok(Some(stage)))
    }
}

impl<S, Request, C, D, R> Debug for ResponseFuture<S, Request, C, D, R>
where
    S: Service<R::Sent>,
    R: Replay<Request>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.whole.call().map(|attempts| &attempts.state) {
            Some(PolicyStage::Calling { stage }) => stage.name(),
            Some(PolicyStage::Between { .. }) => "between two attempts",
            None => "given up",
        };
        f.debug_struct("ResponseFuture").field("state", &state).finish_non_exhaustive()
    }
}
