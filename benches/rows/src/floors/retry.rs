//! What calls again.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use seaworthy::StackError;
use tower::Service;

/// Keeps a request, a service and its shared state, and with a budget it reads the clock and counts.
#[derive(Clone)]
pub(super) struct Retry<S, const BUDGET: bool> {
    inner: S,
    state: Arc<AtomicU64>,
}

impl<S, const BUDGET: bool> Retry<S, BUDGET> {
    pub(super) fn new(inner: S) -> Self {
        Retry { inner, state: Arc::default() }
    }
}

pub(super) struct RetryFuture<S, F, const BUDGET: bool> {
    call: F,
    inner: S,
    request: u64,
    state: Arc<AtomicU64>,
    attempts: u32,
}

impl<S, const BUDGET: bool> Service<u64> for Retry<S, BUDGET>
where
    S: Service<u64, Error: StackError, Future: Unpin> + Clone + Unpin,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = RetryFuture<S, S::Future, BUDGET>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: u64) -> Self::Future {
        let (state, inner) = (self.state.clone(), self.inner.clone());
        if BUDGET {
            black_box(Instant::now());
            state.fetch_add(1, Ordering::AcqRel);
        }
        RetryFuture { call: self.inner.call(request), inner, request, state, attempts: 1 }
    }
}

impl<S, const BUDGET: bool> Future for RetryFuture<S, S::Future, BUDGET>
where
    S: Service<u64, Error: StackError, Future: Unpin> + Unpin,
{
    type Output = Result<S::Response, S::Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let Poll::Ready(outcome) = Pin::new(&mut self.call).poll(cx) else { return Poll::Pending };
            let is_final = outcome.as_ref().err().is_none_or(|error| error.is_before_call());
            if is_final || self.attempts == 3 {
                return Poll::Ready(outcome);
            }
            if BUDGET {
                black_box(Instant::now());
                self.state.fetch_sub(1, Ordering::AcqRel);
            }
            self.attempts += 1;
            let Poll::Ready(Ok(())) = self.inner.poll_ready(cx) else { return Poll::Pending };
            let request = self.request;
            self.call = self.inner.call(request);
        }
    }
}
