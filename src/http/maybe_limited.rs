use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

pin_project! {
    /// Something as it is, or with a limit around it. Boxed only then, so that a policy without limits pays nothing for
    /// them.
    #[project = MaybeLimitedProj]
    pub(crate) enum MaybeLimited<T, L> {
        Unlimited { #[pin] inner: T },
        Limited { inner: Pin<Box<L>> },
    }
}

impl<T, L> MaybeLimited<T, L> {
    pub(crate) fn limited(inner: L) -> MaybeLimited<T, L> {
        MaybeLimited::Limited { inner: Box::pin(inner) }
    }
}

impl<T: Future, L: Future<Output = T::Output>> Future for MaybeLimited<T, L> {
    type Output = T::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T::Output> {
        match self.project() {
            MaybeLimitedProj::Unlimited { inner } => inner.poll(cx),
            MaybeLimitedProj::Limited { inner } => inner.as_mut().poll(cx),
        }
    }
}
