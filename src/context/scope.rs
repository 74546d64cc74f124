use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::{Entered, enter, shield};
use crate::machine::timestamp::Timestamp;
use crate::rt::panic::polled_again;

pin_project! {
    /// A future inside a scope: see [`Context::scope`](super::Context::scope) and
    /// [`Deadline::scope`](super::Deadline::scope).
    ///
    /// # Cancellation
    /// Dropping it drops the inner future, inside the scope.
    #[must_use = "futures do nothing unless polled"]
    pub struct ContextFuture<F> {
        deadline: Timestamp,
        shields: bool,
        // Taken out only to be dropped inside the scope.
        #[pin]
        inner: Option<F>,
    }

    impl<F> PinnedDrop for ContextFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = entered(*this.deadline, *this.shields);
            this.inner.set(None);
        }
    }
}

#[inline(always)]
fn entered(deadline: Timestamp, shields: bool) -> Entered {
    if shields { shield() } else { enter(deadline) }
}

impl<F> ContextFuture<F> {
    #[inline(always)]
    pub(crate) fn narrowing(deadline: Timestamp, inner: F) -> ContextFuture<F> {
        ContextFuture { deadline, shields: false, inner: Some(inner) }
    }

    pub(super) fn shielded(inner: F) -> ContextFuture<F> {
        ContextFuture { deadline: Timestamp::NEVER, shields: true, inner: Some(inner) }
    }
}

impl<F: Future> Future for ContextFuture<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = entered(*this.deadline, *this.shields);
        match this.inner.as_pin_mut() {
            Some(inner) => inner.poll(cx),
            None => polled_again("`ContextFuture`"),
        }
    }
}

impl<F> fmt::Debug for ContextFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextFuture").field("shields", &self.shields).finish_non_exhaustive()
    }
}
