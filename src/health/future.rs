use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tower_service::Service;

use super::in_flight::InFlight;
use crate::error::{Rejected, StackError};
use crate::rt::panic::polled_again;

pin_project! {
    /// The response future of [`ReadinessService`](super::ReadinessService).
    ///
    /// # Cancellation
    /// Dropping it drops the inner future, and the request is no longer in flight.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, S, Request> {
        #[pin]
        stage: ReadinessStage<F, S, Request>,
        // Dropped after the inner future. None for a request that is not counted, and while the inner future or service
        // is polled, so that a panic there ends the count at once; an executor may drop this future much later.
        held: Option<InFlight>,
    }
}

pin_project! {
    #[project = ReadinessStageProj]
    enum ReadinessStage<F, S, Request> {
        Running { #[pin] inner: F },
        Unready { late: Box<Late<S, Request>> },
        Rejected { rejected: Option<Rejected> },
    }
}

/// A request whose clone of the inner service is not ready yet.
struct Late<S, Request> {
    inner: S,
    request: Option<Request>,
}

impl<F, S, Request> ResponseFuture<F, S, Request> {
    #[inline]
    pub(super) fn running(held: Option<InFlight>, inner: F) -> Self {
        ResponseFuture { stage: ReadinessStage::Running { inner }, held }
    }

    pub(super) fn unready(held: Option<InFlight>, inner: S, request: Request) -> Self {
        ResponseFuture {
            stage: ReadinessStage::Unready { late: Box::new(Late { inner, request: Some(request) }) },
            held,
        }
    }

    #[inline]
    pub(super) fn rejected(rejected: Rejected) -> Self {
        ResponseFuture { stage: ReadinessStage::Rejected { rejected: Some(rejected) }, held: None }
    }
}

impl<F, S, Request, T, E> ResponseFuture<F, S, Request>
where
    F: Future<Output = Result<T, E>>,
    S: Service<Request, Response = T, Error = E, Future = F>,
    E: StackError,
{
    /// Ready with the result; `finish` decides what becomes of the count of a request that was answered.
    #[inline]
    pub(crate) fn poll_with<U>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        finish: impl FnOnce(T, Option<InFlight>) -> U,
    ) -> Poll<Result<U, E>> {
        let mut this = self.project();
        let held = this.held.take();
        match poll_stage(&mut this.stage, cx) {
            Poll::Ready(result) => Poll::Ready(result.map(|response| finish(response, held))),
            Poll::Pending => {
                *this.held = held;
                Poll::Pending
            }
        }
    }
}

#[inline]
fn poll_stage<F, S, Request, T, E>(
    stage: &mut Pin<&mut ReadinessStage<F, S, Request>>,
    cx: &mut Context<'_>,
) -> Poll<Result<T, E>>
where
    F: Future<Output = Result<T, E>>,
    S: Service<Request, Response = T, Error = E, Future = F>,
    E: StackError,
{
    loop {
        match stage.as_mut().project() {
            ReadinessStageProj::Running { inner } => return inner.poll(cx),
            ReadinessStageProj::Unready { late } => {
                let ready = ready!(late.inner.poll_ready(cx));
                match (ready, late.request.take()) {
                    (Ok(()), Some(request)) => {
                        let inner = late.inner.call(request);
                        stage.set(ReadinessStage::Running { inner });
                    }
                    (Err(error), Some(_)) => return Poll::Ready(Err(error)),
                    (_, None) => polled_again("`ResponseFuture`"),
                }
            }
            ReadinessStageProj::Rejected { rejected } => match rejected.take() {
                Some(rejected) => return Poll::Ready(Err(rejected.into())),
                None => polled_again("`ResponseFuture`"),
            },
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
        self.poll_with(cx, |response, _held| response)
    }
}

impl<F, S, Request> fmt::Debug for ResponseFuture<F, S, Request> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            ReadinessStage::Running { .. } => "running",
            ReadinessStage::Unready { .. } => "unready",
            ReadinessStage::Rejected { .. } => "rejected",
        };
        f.debug_struct("ResponseFuture").field("stage", &stage).finish_non_exhaustive()
    }
}
