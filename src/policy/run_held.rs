use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::kept::GoesOn;
use super::permit::Permit;
use super::run_future::{MakeAttempt, PolicyRun, WithoutPermit};
use crate::admission::classify::{Classify, ErrorClassifier};
use crate::error::StackError;
use crate::retry::RetryErrors;
use crate::retry::decide::RetryIf;
use crate::rt::panic::polled_again;

pin_project! {
    /// The future of [`PolicyCall::run_held`](super::PolicyCall::run_held), which asks to be let in at its first poll.
    ///
    /// # Cancellation
    /// As [`PolicyRun`].
    #[must_use = "futures do nothing unless polled"]
    pub struct PolicyRunHeld<'a, F, Fut, C = ErrorClassifier, D = RetryErrors> {
        #[pin]
        run: PolicyRun<'a, F, Fut, C, D>,
    }
}

impl<'a, F, Fut, C, D> PolicyRunHeld<'a, F, Fut, C, D> {
    pub(super) fn new(run: PolicyRun<'a, F, Fut, C, D>) -> Self {
        PolicyRunHeld { run }
    }
}

impl<F, Fut, C, D, T, E> Future for PolicyRunHeld<'_, F, Fut, C, D>
where
    F: MakeAttempt<WithoutPermit, Future = Fut>,
    Fut: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    D: RetryIf<T, E>,
    E: StackError + Debug + Display,
{
    type Output = Result<(T, Permit), E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut attempt = GoesOn::default();
        let result = ready!(self.project().run.poll_whole(cx, &mut attempt));
        Poll::Ready(result.map(|returned| match attempt.take() {
            Some(ended) => (returned, Permit::new(ended)),
            None => polled_again("a call"),
        }))
    }
}

impl<F, Fut, C, D> Debug for PolicyRunHeld<'_, F, Fut, C, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyRunHeld").finish_non_exhaustive()
    }
}
