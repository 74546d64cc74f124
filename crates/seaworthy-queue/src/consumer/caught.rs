use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use seaworthy::observe::panic_text;

/// Foreign code that may panic when it is polled and when it is dropped.
pub(super) struct Caught<F>(Option<Pin<Box<F>>>);

impl<F> Caught<F> {
    pub(super) fn new(call: F) -> Caught<F> {
        Caught(Some(Box::pin(call)))
    }

    pub(super) fn discard(&mut self) {
        let call = self.0.take();
        // What it panics with then says less than what came before.
        let _second = catch_unwind(AssertUnwindSafe(|| drop(call)));
    }
}

impl<F: Future> Future for Caught<F> {
    type Output = Result<F::Output, String>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(call) = &mut self.0 else { return Poll::Pending };
        match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(out)) => Poll::Ready(Ok(out)),
            Err(panic) => Poll::Ready(Err(panic_text(panic))),
        }
    }
}
