//! The cheapest conceivable retry, written by hand.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use tower::Service;

/// A retry that does only what is indispensable: it keeps a request, a service and its shared state, and with a budget
/// it reads the clock and counts.
#[derive(Clone)]
pub(crate) struct Floor<S> {
    inner: S,
    state: Arc<(AtomicU64, bool)>,
}

impl<S> Floor<S> {
    pub(crate) fn new(inner: S, budget: bool) -> Self {
        Self { inner, state: Arc::new((AtomicU64::new(0), budget)) }
    }
}

pub(crate) struct FloorFuture<S, F> {
    call: F,
    inner: S,
    request: u64,
    state: Arc<(AtomicU64, bool)>,
    attempts: u32,
}

impl<S> Service<u64> for Floor<S>
where
    S: Service<u64, Future: Unpin> + Clone + Unpin,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = FloorFuture<S, S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: u64) -> Self::Future {
        let (state, inner) = (self.state.clone(), self.inner.clone());
        if state.1 {
            black_box(Instant::now());
            state.0.fetch_add(1, Ordering::AcqRel);
        }
        FloorFuture { call: self.inner.call(request), inner, request, state, attempts: 1 }
    }
}

impl<S> Future for FloorFuture<S, S::Future>
where
    S: Service<u64, Future: Unpin> + Unpin,
{
    type Output = Result<S::Response, S::Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let Poll::Ready(outcome) = Pin::new(&mut self.call).poll(cx) else { return Poll::Pending };
            if outcome.is_ok() || self.attempts == 3 {
                return Poll::Ready(outcome);
            }
            if self.state.1 {
                black_box(Instant::now());
                self.state.0.fetch_sub(1, Ordering::AcqRel);
            }
            self.attempts += 1;
            let Poll::Ready(Ok(())) = self.inner.poll_ready(cx) else { return Poll::Pending };
            let request = self.request;
            self.call = self.inner.call(request);
        }
    }
}
