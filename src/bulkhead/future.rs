use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tower_service::Service;

use super::handle::Slots;
use super::held::Slot;
use super::take::Waiter;
use super::waiting::Waiting;
use crate::{Rejected, StackError};

pin_project! {
    /// The response future of [`Bulkhead`](super::Bulkhead).
    ///
    /// # Cancellation
    /// Dropping it drops the inner future and then gives the slot back, or leaves the queue.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, S, Request> {
        #[pin]
        stage: Stage<F, S, Request>,
    }
}

pin_project! {
    #[project = StageProj]
    enum Stage<F, S, Request> {
        // The slot is given back when the inner future is done, or after it was dropped. It is absent while that is
        // polled, so that a panic gives it back at once; an executor may drop the future much later.
        Running { #[pin] inner: F, slot: Option<Slot> },
        Waiting { waiting: Box<Waiting<S, Request>> },
        Rejected { rejected: Option<Rejected> },
    }
}

impl<F, S, Request> ResponseFuture<F, S, Request> {
    pub(super) fn running(slot: Slot, inner: F) -> Self {
        ResponseFuture { stage: Stage::Running { inner, slot: Some(slot) } }
    }

    pub(super) fn rejected(rejected: Rejected) -> Self {
        ResponseFuture { stage: Stage::Rejected { rejected: Some(rejected) } }
    }

    #[cold]
    pub(super) fn granted(slot: Slot, inner: S, request: Request) -> Self {
        ResponseFuture { stage: Stage::Waiting { waiting: Box::new(Waiting::granted(slot, inner, request)) } }
    }

    #[cold]
    pub(super) fn waiting(waiter: Waiter<Slots>, inner: S, request: Request) -> Self {
        ResponseFuture { stage: Stage::Waiting { waiting: Box::new(Waiting::queued(waiter, inner, request)) } }
    }
}

impl<F, S, Request, T, E> ResponseFuture<F, S, Request>
where
    F: Future<Output = Result<T, E>>,
    S: Service<Request, Response = T, Error = E, Future = F>,
    E: StackError,
{
    /// Ready with the result; what becomes of the slot of a call that succeeded is up to `finish`.
    #[inline]
    pub(crate) fn poll_with<U>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        finish: impl FnOnce(T, Option<Slot>) -> U,
    ) -> Poll<Result<U, E>> {
        let mut stage = self.project().stage;
        loop {
            match stage.as_mut().project() {
                StageProj::Running { inner, slot } => {
                    let held = slot.take();
                    return match inner.poll(cx) {
                        Poll::Ready(result) => Poll::Ready(result.map(|response| finish(response, held))),
                        Poll::Pending => {
                            *slot = held;
                            Poll::Pending
                        }
                    };
                }
                StageProj::Waiting { waiting } => match ready!(waiting.poll(cx)) {
                    Ok((inner, slot)) => stage.set(Stage::Running { inner, slot: Some(slot) }),
                    Err(error) => {
                        stage.set(Stage::Rejected { rejected: None });
                        return Poll::Ready(Err(error));
                    }
                },
                StageProj::Rejected { rejected } => match rejected.take() {
                    Some(rejected) => return Poll::Ready(Err(rejected.into())),
                    // No future has to survive this; hanging is worse than telling.
                    None => panic!("`ResponseFuture` was polled after it was ready"),
                },
            }
        }
    }
}

impl<F, S, Request, T, E> Future for ResponseFuture<F, S, Request>
where
    F: Future<Output = Result<T, E>>,
    S: Service<Request, Response = T, Error = E, Future = F>,
    E: StackError,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_with(cx, |response, _slot| response)
    }
}

impl<F, S, Request> fmt::Debug for ResponseFuture<F, S, Request> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            Stage::Running { .. } => "running",
            Stage::Waiting { .. } => "waiting",
            Stage::Rejected { .. } => "rejected",
        };
        f.debug_struct("ResponseFuture").field("stage", &stage).finish_non_exhaustive()
    }
}
