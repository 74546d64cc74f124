use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::context::ContextFuture;
use crate::error::{Rejected, StackError};
use crate::machine::timestamp::Timestamp;
use crate::rt::panic::polled_again;

pin_project! {
    /// The response future of [`DeadlineService`](super::DeadlineService).
    ///
    /// # Cancellation
    /// Dropping it drops the inner future while the deadline is current.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        call: DeadlineCall<F>,
    }
}

pin_project! {
    #[project = DeadlineCallProj]
    enum DeadlineCall<F> {
        Made { #[pin] inner: ContextFuture<F> },
        TooLate { rejected: Option<Rejected> },
    }
}

impl<F> ResponseFuture<F> {
    #[inline]
    pub(super) fn made(deadline: Timestamp, inner: F) -> ResponseFuture<F> {
        ResponseFuture { call: DeadlineCall::Made { inner: ContextFuture::narrowing(deadline, inner) } }
    }

    #[cold]
    pub(super) fn too_late(rejected: Rejected) -> ResponseFuture<F> {
        ResponseFuture { call: DeadlineCall::TooLate { rejected: Some(rejected) } }
    }
}

impl<F, T, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: StackError,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().call.project() {
            DeadlineCallProj::Made { inner } => inner.poll(cx),
            DeadlineCallProj::TooLate { rejected } => match rejected.take() {
                Some(rejected) => Poll::Ready(Err(rejected.into())),
                None => polled_again("`ResponseFuture`"),
            },
        }
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_late = matches!(self.call, DeadlineCall::TooLate { .. });
        f.debug_struct("ResponseFuture").field("too_late", &is_late).finish_non_exhaustive()
    }
}
