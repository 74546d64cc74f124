use std::borrow::Borrow;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::classify::{Classify, judge};
use super::handle::CircuitBreaker;
use super::held::{FailOnUnwind, HeldTicket};
use crate::error::{Rejected, StackError};
use crate::rt::panic::polled_again;

pin_project! {
    /// The response future of [`CircuitBreakerService`](super::CircuitBreakerService).
    ///
    /// # Cancellation
    /// Dropping it drops the inner future and counts as the circuit breaker's [`OnDrop`](crate::OnDrop) says.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, C> {
        #[pin]
        outcome: CircuitBreakerCall<CircuitBreaker, F, C>,
    }
}

impl<F, C> ResponseFuture<F, C> {
    pub(super) fn admitted(held: HeldTicket<CircuitBreaker>, inner: F, classifier: C) -> ResponseFuture<F, C> {
        ResponseFuture { outcome: CircuitBreakerCall::admitted(held, inner, classifier) }
    }

    pub(super) fn rejected(rejected: Rejected) -> ResponseFuture<F, C> {
        ResponseFuture { outcome: CircuitBreakerCall::Rejected { rejected: Some(rejected) } }
    }
}

impl<F, C, T, E> Future for ResponseFuture<F, C>
where
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    E: StackError,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().outcome.poll(cx)
    }
}

pin_project! {
    /// A call that was rejected, or one that is running and is settled when it ends.
    #[derive(Debug)]
    #[project = CircuitBreakerCallProj]
    pub(super) enum CircuitBreakerCall<H: Borrow<CircuitBreaker>, F, C> {
        Rejected { rejected: Option<Rejected> },
        // The call is settled before its future is dropped, because dropping that may take a while.
        Admitted { held: HeldTicket<H>, classifier: C, #[pin] inner: F },
    }
}

impl<H: Borrow<CircuitBreaker>, F, C> CircuitBreakerCall<H, F, C> {
    pub(super) fn admitted(held: HeldTicket<H>, inner: F, classifier: C) -> Self {
        CircuitBreakerCall::Admitted { held, classifier, inner }
    }
}

impl<H, F, C, T, E> Future for CircuitBreakerCall<H, F, C>
where
    H: Borrow<CircuitBreaker>,
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    E: StackError,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            CircuitBreakerCallProj::Rejected { rejected } => match rejected.take() {
                Some(rejected) => Poll::Ready(Err(rejected.into())),
                None => polled_again("`ResponseFuture`"),
            },
            CircuitBreakerCallProj::Admitted { held, classifier, inner } => poll_admitted(held, classifier, inner, cx),
        }
    }
}

/// Judges the result in place: moving it would cost more than everything else here.
#[inline]
fn poll_admitted<H, F, C, T, E>(
    held: &mut HeldTicket<H>,
    classifier: &C,
    inner: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<Result<T, E>>
where
    H: Borrow<CircuitBreaker>,
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    E: StackError,
{
    let fuse = FailOnUnwind::new(held);
    let poll = inner.poll(cx);
    let verdict = match &poll {
        Poll::Ready(result) => Some(judge(classifier, result)),
        Poll::Pending => None,
    };
    fuse.disarm();
    if let Some(verdict) = verdict {
        held.settle(verdict);
    }
    poll
}
