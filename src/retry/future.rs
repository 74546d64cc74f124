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
use crate::machine::retry::attempts::{Progress, StopReason};
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

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                RetryStageProj::Calling { call } => {
                    let result = ready!(call.poll(cx));
                    let decision = this.retry_if.retry_if(&result);
                    let replay = &*this.replay;
                    let kept = this.spare.as_ref().and_then(|spare| spare.kept.as_ref());
                    let mut sent = None;
                    let again = |ask| match (ask, kept) {
                        (_, None) => false,
                        (Ask::IsPossible, Some(kept)) => replay.is_possible(kept),
                        (Ask::Prepare, Some(kept)) => {
                            sent = replay.again(kept);
                            sent.is_some()
                        }
                    };
                    let progress = this.in_progress.progress();
                    let Some(pause) = this.in_progress.config().next(progress, decision, &result, again) else {
                        return Poll::Ready(result);
                    };
                    this.in_progress.count();
                    // Whatever the failed attempt holds is released before the wait: a permit, a connection, a body.
                    this.state.set(RetryStage::Between { pause, sent });
                    drop(result);
                }
                RetryStageProj::Between { pause, sent } => {
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
                        return Poll::Ready(Err(error));
                    }
                    if config.is_last(progress.attempts) {
                        spare.kept = None;
                    }
                    if let Some(sent) = sent.take() {
                        let call = spare.service.call(sent);
                        this.state.set(RetryStage::Calling { call });
                    }
                }
            }
        }
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
            .field("attempt", &self.in_progress.progress().attempts)
            .finish_non_exhaustive()
    }
}
