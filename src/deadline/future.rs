use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::context::ContextFuture;
use crate::error::{Rejected, StackError, StoredRejection};
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
        call: MadeInTime<ContextFuture<F>>,
    }
}

impl<F> ResponseFuture<F> {
    #[inline]
    pub(super) fn made(deadline: Timestamp, inner: F) -> ResponseFuture<F> {
        ResponseFuture { call: MadeInTime::Made { inner: ContextFuture::narrowing(deadline, inner) } }
    }

    #[cold]
    pub(super) fn too_late(rejected: Rejected) -> ResponseFuture<F> {
        ResponseFuture { call: MadeInTime::too_late(rejected) }
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
        self.project().call.poll_call(cx, "`ResponseFuture`")
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_late = matches!(self.call, MadeInTime::TooLate { .. });
        f.debug_struct("ResponseFuture").field("too_late", &is_late).finish_non_exhaustive()
    }
}

pin_project! {
    /// A call that was made, or came too late for that.
    #[project = MadeInTimeProj]
    pub(crate) enum MadeInTime<F> {
        Made { #[pin] inner: F },
        TooLate { rejection: StoredRejection },
    }
}

impl<F> MadeInTime<F> {
    #[cold]
    pub(crate) fn too_late(rejected: Rejected) -> MadeInTime<F> {
        MadeInTime::TooLate { rejection: rejected.into() }
    }
}

impl<F, T, E> MadeInTime<F>
where
    F: Future<Output = Result<T, E>>,
    E: StackError,
{
    /// `name` is whose future this is.
    #[inline]
    pub(crate) fn poll_call(self: Pin<&mut Self>, cx: &mut Context<'_>, name: &str) -> Poll<Result<T, E>> {
        match self.project() {
            MadeInTimeProj::Made { inner } => inner.poll(cx),
            MadeInTimeProj::TooLate { rejection } => match rejection.take() {
                Some(rejected) => Poll::Ready(Err(rejected.into())),
                None => polled_again(name),
            },
        }
    }
}
