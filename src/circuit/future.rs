use std::borrow::Borrow;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::classify::{Classify, judge};
use super::handle::Circuit;
use super::held::{FailOnUnwind, Held};
use crate::{Rejected, StackError};

pin_project! {
    /// The response future of [`CircuitBreaker`](super::CircuitBreaker).
    ///
    /// # Cancellation
    /// Dropping it drops the inner future and counts as the circuit's [`OnDrop`](crate::OnDrop) says.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, C> {
        #[pin]
        outcome: Outcome<Circuit, F, C>,
    }
}

impl<F, C> ResponseFuture<F, C> {
    pub(super) fn admitted(held: Held<Circuit>, inner: F, classifier: C) -> ResponseFuture<F, C> {
        ResponseFuture { outcome: Outcome::admitted(held, inner, classifier) }
    }

    pub(super) fn rejected(rejected: Rejected) -> ResponseFuture<F, C> {
        ResponseFuture { outcome: Outcome::Rejected { rejected: Some(rejected) } }
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
    /// A call that was rejected, or that runs and is settled when it ends.
    #[derive(Debug)]
    #[project = OutcomeProj]
    pub(super) enum Outcome<H: Borrow<Circuit>, F, C> {
        Rejected { rejected: Option<Rejected> },
        // The call is settled before its future is dropped, which may take its time.
        Admitted { held: Held<H>, classifier: C, #[pin] inner: F },
    }
}

impl<H: Borrow<Circuit>, F, C> Outcome<H, F, C> {
    pub(super) fn admitted(held: Held<H>, inner: F, classifier: C) -> Self {
        Outcome::Admitted { held, classifier, inner }
    }
}

impl<H, F, C, T, E> Future for Outcome<H, F, C>
where
    H: Borrow<Circuit>,
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    E: StackError,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            OutcomeProj::Rejected { rejected } => match rejected.take() {
                Some(rejected) => Poll::Ready(Err(rejected.into())),
                // It was polled after it ended, which no future has to survive; hanging is worse than telling.
                None => panic!("`ResponseFuture` was polled after it was ready"),
            },
            OutcomeProj::Admitted { held, classifier, inner } => poll_admitted(held, classifier, inner, cx),
        }
    }
}

/// The result is judged where it lies: moving it costs more than the rest.
#[inline]
fn poll_admitted<H, F, C, T, E>(
    held: &mut Held<H>,
    classifier: &C,
    inner: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<Result<T, E>>
where
    H: Borrow<Circuit>,
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
