use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tower_service::Service;

use super::decide::RetryIf;
use super::in_progress::InProgress;
use super::pause::Pause;
use super::policy::Ask;
use super::replay::Replay;
use crate::machine::retry::attempts::{Decision, Progress, StopReason};
use crate::observe::event::ErrorRef;
use crate::rt::panic::polled_again;

pin_project! {
    /// The response future of [`RetryService`](super::RetryService).
    ///
    /// # Cancellation
    /// Dropping it drops the running attempt, or ends the wait; nothing is tried after that. The token of a retry that
    /// was about to start is spent.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled, if it has to wait.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, Request, C, R>
    where
        S: Service<R::Sent>,
        R: Replay<Request>,
    {
        #[pin]
        state: RetryStage<S::Future, R::Sent>,
        spare: Option<RetryParts<S, R::Kept>>,
        in_progress: InProgress,
        retry_if: C,
        replay: R,
    }
}

pin_project! {
    #[project = RetryStageProj]
    enum RetryStage<F, A> {
        Calling { #[pin] call: F },
        // The wait, and then the inner service's readiness.
        Between { pause: Pause, sent: Option<A> },
    }
}

/// What retries need.
pub(super) struct RetryParts<S, K> {
    service: S,
    /// Released when the last attempt starts, so that no copy is kept of what it is sending.
    kept: Option<K>,
}

impl<S, K> RetryParts<S, K> {
    pub(super) fn new(service: S, kept: K) -> RetryParts<S, K> {
        RetryParts { service, kept: Some(kept) }
    }
}

impl<S, Request, C, R> ResponseFuture<S, Request, C, R>
where
    S: Service<R::Sent>,
    R: Replay<Request>,
{
    #[inline]
    pub(super) fn new(
        call: S::Future,
        spare: Option<RetryParts<S, R::Kept>>,
        in_progress: InProgress,
        retry_if: C,
        replay: R,
    ) -> Self {
        ResponseFuture { state: RetryStage::Calling { call }, spare, in_progress, retry_if, replay }
    }
}

impl<S, Request, C, R> Future for ResponseFuture<S, Request, C, R>
where
    S: Service<R::Sent>,
    S::Error: Debug + Display,
    C: RetryIf<S::Response, S::Error>,
    R: Replay<Request>,
{
    type Output = Result<S::Response, S::Error>;

    // All of it in one function but for the decision: what passes from one to another is written in pieces and read
    // again as a whole, for which the processor waits. With what only a retry does in functions of their own, a third
    // try took a quarter longer, and a first one no less.
    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let this = self.as_mut().project();
            if let RetryStageProj::Calling { call } = this.state.project() {
                let result = ready!(call.poll(cx));
                let decision = this.retry_if.retry_if(&result);
                if decision == Decision::Stop && result.is_ok() {
                    this.in_progress.config().succeeded(this.in_progress.progress());
                    return Poll::Ready(result);
                }
                if !self.as_mut().prepare(decision, result.as_ref().err().map(ErrorRef::new)) {
                    return Poll::Ready(result);
                }
                // Whatever the failed attempt holds is released before the wait: a permit, a connection, a body.
                drop(result);
            }
            if let Some(error) = ready!(self.as_mut().poll_again(cx)) {
                return Poll::Ready(Err(error));
            }
        }
    }
}

impl<S, Request, C, R> ResponseFuture<S, Request, C, R>
where
    S: Service<R::Sent>,
    S::Error: Debug + Display,
    R: Replay<Request>,
{
    /// Prepares another attempt, if there is to be one, and drops the one that has ended.
    #[inline(always)]
    fn prepare(self: Pin<&mut Self>, decision: Decision, error: Option<ErrorRef<'_>>) -> bool {
        let mut this = self.project();
        let replay = &*this.replay;
        let kept = this.spare.as_ref().and_then(|spare| spare.kept.as_ref());
        let mut sent = None;
        let mut again = |ask| match (ask, kept) {
            (_, None) => false,
            (Ask::IsPossible, Some(kept)) => replay.is_possible(kept),
            (Ask::Prepare, Some(kept)) => {
                sent = replay.again(kept);
                sent.is_some()
            }
        };
        let progress = this.in_progress.progress();
        let Some(pause) = this.in_progress.config().next_after_failure(progress, decision, error, &mut again) else {
            return false;
        };
        this.in_progress.count();
        this.state.set(RetryStage::Between { pause, sent });
        true
    }

    /// Starts the attempt that was prepared, once the wait is over and the service ready, or ends with its error.
    #[inline(always)]
    fn poll_again(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Error>> {
        let mut this = self.project();
        let RetryStageProj::Between { pause, sent } = this.state.as_mut().project() else {
            return Poll::Ready(None);
        };
        ready!(Pin::new(pause).poll(cx));
        let (Some(spare), true) = (this.spare.as_mut(), sent.is_some()) else {
            polled_again("`ResponseFuture`");
        };
        let (config, progress) = (this.in_progress.config(), this.in_progress.progress());
        if let Err(error) = ready!(spare.service.poll_ready(cx)) {
            // The attempt that was being prepared was never made.
            let made = Progress { attempts: progress.attempts - 1, ..progress };
            config.stopped(made, StopReason::NotReady, Some(ErrorRef::new(&error)));
            *sent = None;
            return Poll::Ready(Some(error));
        }
        if config.is_last(progress.attempts) {
            spare.kept = None;
        }
        if let Some(sent) = sent.take() {
            let call = spare.service.call(sent);
            this.state.set(RetryStage::Calling { call });
        }
        Poll::Ready(None)
    }
}

impl<S, Request, C, R> Debug for ResponseFuture<S, Request, C, R>
where
    S: Service<R::Sent>,
    R: Replay<Request>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("policy", &self.in_progress.config().name)
            .field("attempt", &self.in_progress.attempts())
            .finish_non_exhaustive()
    }
}
