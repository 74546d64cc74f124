use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tower_service::Service;

use super::acquire::Waiter;
use super::handle::Bulkhead;
use super::held::Permit;
use super::waiting::QueuedCall;
use crate::error::{Rejected, StackError};
use crate::rt::panic::polled_again;

pin_project! {
    /// The response future of [`BulkheadService`](super::BulkheadService).
    ///
    /// # Cancellation
    /// Dropping it drops the inner future and then releases the permit, or leaves the queue.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, S, Request> {
        #[pin]
        stage: BulkheadStage<F, S, Request>,
    }
}

pin_project! {
    #[project = BulkheadStageProj]
    enum BulkheadStage<F, S, Request> {
        // The permit is released when the inner future is done, or after it was dropped. While the future is polled,
        // the permit is taken out, so that a panic releases it at once; an executor may drop the future much later.
        Running { #[pin] inner: F, permit: Option<Permit> },
        QueuedCall { waiting: Box<QueuedCall<S, Request>> },
        Rejected { rejected: Option<Rejected> },
    }
}

impl<F, S, Request> ResponseFuture<F, S, Request> {
    pub(super) fn running(permit: Permit, inner: F) -> Self {
        ResponseFuture { stage: BulkheadStage::Running { inner, permit: Some(permit) } }
    }

    pub(super) fn rejected(rejected: Rejected) -> Self {
        ResponseFuture { stage: BulkheadStage::Rejected { rejected: Some(rejected) } }
    }

    #[cold]
    pub(super) fn granted(permit: Permit, inner: S, request: Request) -> Self {
        ResponseFuture {
            stage: BulkheadStage::QueuedCall { waiting: Box::new(QueuedCall::granted(permit, inner, request)) },
        }
    }

    #[cold]
    pub(super) fn waiting(waiter: Waiter<Bulkhead>, inner: S, request: Request) -> Self {
        ResponseFuture {
            stage: BulkheadStage::QueuedCall { waiting: Box::new(QueuedCall::queued(waiter, inner, request)) },
        }
    }
}

impl<F, S, Request, T, E> ResponseFuture<F, S, Request>
where
    F: Future<Output = Result<T, E>>,
    S: Service<Request, Response = T, Error = E, Future = F>,
    E: StackError,
{
    /// Ready with the result; `finish` decides what becomes of the permit of a call that succeeded.
    #[inline]
    pub(crate) fn poll_with<U>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        finish: impl FnOnce(T, Option<Permit>) -> U,
    ) -> Poll<Result<U, E>> {
        let mut stage = self.project().stage;
        loop {
            match stage.as_mut().project() {
                BulkheadStageProj::Running { inner, permit } => {
                    let held = permit.take();
                    return match inner.poll(cx) {
                        Poll::Ready(result) => Poll::Ready(result.map(|response| finish(response, held))),
                        Poll::Pending => {
                            *permit = held;
                            Poll::Pending
                        }
                    };
                }
                BulkheadStageProj::QueuedCall { waiting } => match ready!(waiting.poll(cx)) {
                    Ok((inner, permit)) => stage.set(BulkheadStage::Running { inner, permit: Some(permit) }),
                    Err(error) => {
                        stage.set(BulkheadStage::Rejected { rejected: None });
                        return Poll::Ready(Err(error));
                    }
                },
                BulkheadStageProj::Rejected { rejected } => match rejected.take() {
                    Some(rejected) => return Poll::Ready(Err(rejected.into())),
                    None => polled_again("`ResponseFuture`"),
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
        self.poll_with(cx, |response, _permit| response)
    }
}

impl<F, S, Request> fmt::Debug for ResponseFuture<F, S, Request> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            BulkheadStage::Running { .. } => "running",
            BulkheadStage::QueuedCall { .. } => "waiting",
            BulkheadStage::Rejected { .. } => "rejected",
        };
        f.debug_struct("ResponseFuture").field("stage", &stage).finish_non_exhaustive()
    }
}
