use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::handle::CircuitBreaker;
use crate::admission::classify::{ByRef, Classify, ErrorClassifier};
use crate::admission::now::NowCall;
use crate::admission::run::Run;
use crate::error::StackError;

pin_project! {
    /// The response future of [`CircuitBreakerService`](super::CircuitBreakerService).
    ///
    /// # Cancellation
    /// Dropping it drops the inner future and counts as the circuit breaker's [`OnDrop`](crate::OnDrop) says.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, C> {
        #[pin]
        pub(crate) call: NowCall<CircuitBreaker, F, C>,
    }
}

impl<F, C> ResponseFuture<F, C> {
    #[inline(always)]
    pub(super) fn new(call: NowCall<CircuitBreaker, F, C>) -> Self {
        ResponseFuture { call }
    }

    /// Times the call from now on, if it is under way and not timed yet.
    pub(crate) fn start_clock(&mut self) {
        if let Some(ticket) = self.call.ticket_mut() {
            ticket.start_clock();
        }
    }
}

impl<F, C, T, E> Future for ResponseFuture<F, C>
where
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    E: StackError,
{
    type Output = Result<T, E>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().call.poll(cx)
    }
}

impl<F, C> fmt::Debug for ResponseFuture<F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of [`CircuitBreaker::run`](crate::CircuitBreaker::run), which asks to be let in at its first poll.
    ///
    /// # Cancellation
    /// Dropping it drops the inner future and counts as the circuit breaker's [`OnDrop`](crate::OnDrop) says; before
    /// the first poll, it counts as nothing.
    #[must_use = "futures do nothing unless polled"]
    pub struct CircuitBreakerRun<'a, F, C = ErrorClassifier> {
        #[pin]
        run: Run<'a, CircuitBreaker, F, ByRef<'a, C>>,
    }
}

impl<'a, F, C> CircuitBreakerRun<'a, F, C> {
    #[inline]
    pub(super) fn new(circuit_breaker: &'a CircuitBreaker, inner: F, classifier: &'a C) -> CircuitBreakerRun<'a, F, C> {
        CircuitBreakerRun { run: Run::new(circuit_breaker, inner, ByRef(classifier)) }
    }
}

impl<F, C, T, E> Future for CircuitBreakerRun<'_, F, C>
where
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    E: StackError,
{
    type Output = Result<T, E>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().run.poll(cx)
    }
}

impl<F, C> fmt::Debug for CircuitBreakerRun<'_, F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreakerRun").finish_non_exhaustive()
    }
}
