use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::answer::Answer;
use super::fallback_if::FallbackIf;
use super::handle::FallbackNotifier;
use crate::rt::panic::polled_again;

pin_project! {
    /// The response future of [`FallbackService`](super::FallbackService), and what
    /// [`Fallback::run`](super::Fallback::run) returns.
    ///
    /// # Cancellation
    /// Dropping it drops the inner future, or the running fallback.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, A, W, Request, T, E>
    where
        A: Answer<Request, T, E>,
    {
        #[pin]
        stage: FallbackStage<F, FallbackParts<A, W, A::Kept>, A::Future>,
    }
}

pin_project! {
    #[project = FallbackStageProj]
    enum FallbackStage<F, P, N> {
        // Without `spare` there is nothing to fall back on.
        Calling { #[pin] inner: F, spare: Option<P> },
        Answering { #[pin] answer: N },
        Done,
    }
}

/// What a call falls back on.
pub(super) struct FallbackParts<A, W, K> {
    pub(super) answer: A,
    pub(super) when: W,
    pub(super) notifier: FallbackNotifier,
    pub(super) kept: K,
}

impl<F, A, W, Request, T, E> ResponseFuture<F, A, W, Request, T, E>
where
    A: Answer<Request, T, E>,
{
    #[inline]
    pub(super) fn new(inner: F, spare: Option<FallbackParts<A, W, A::Kept>>) -> Self {
        ResponseFuture { stage: FallbackStage::Calling { inner, spare } }
    }

    /// Polls the future, and its inner one with `poll_inner`.
    #[inline(always)]
    pub(crate) fn poll_with(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut poll_inner: impl FnMut(Pin<&mut F>, &mut Context<'_>) -> Poll<Result<T, E>>,
    ) -> Poll<Result<T, E>>
    where
        E: Debug + Display,
        W: FallbackIf<E>,
    {
        let mut stage = self.project().stage;
        loop {
            match stage.as_mut().project() {
                FallbackStageProj::Calling { inner, spare } => {
                    let error = match ready!(poll_inner(inner, cx)) {
                        Ok(response) => return Poll::Ready(Ok(response)),
                        Err(error) => error,
                    };
                    let spare = spare.take();
                    // Whatever the failed call holds is released before another starts: a permit, a connection, a body.
                    stage.set(FallbackStage::Done);
                    let Some(FallbackParts { answer, when, notifier, kept }) = spare else {
                        return Poll::Ready(Err(error));
                    };
                    if !when.covers(&error) {
                        return Poll::Ready(Err(error));
                    }
                    let Some(request) = answer.prepare(kept) else { return Poll::Ready(Err(error)) };
                    notifier.notify(&error);
                    let answer = answer.answer(request, error);
                    stage.set(FallbackStage::Answering { answer });
                }
                FallbackStageProj::Answering { answer } => {
                    let result = ready!(answer.poll(cx));
                    stage.set(FallbackStage::Done);
                    return Poll::Ready(result);
                }
                FallbackStageProj::Done => polled_again("`ResponseFuture`"),
            }
        }
    }
}

impl<F, A, W, Request, T, E> Future for ResponseFuture<F, A, W, Request, T, E>
where
    F: Future<Output = Result<T, E>>,
    E: Debug + Display,
    A: Answer<Request, T, E>,
    W: FallbackIf<E>,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_with(cx, Future::poll)
    }
}

impl<F, A, W, Request, T, E> Debug for ResponseFuture<F, A, W, Request, T, E>
where
    A: Answer<Request, T, E>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            FallbackStage::Calling { .. } => "calling",
            FallbackStage::Answering { .. } => "answering",
            FallbackStage::Done => "done",
        };
        f.debug_struct("ResponseFuture").field("stage", &stage).finish_non_exhaustive()
    }
}
