//! What stands before a service and lets calls pass, or rejects them all.

use std::future::Future;
use std::hint::black_box;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use pin_project_lite::pin_project;
use seaworthy::{Name, Rejected};
use tower::Service;

use crate::kit::HOUR;

/// What is done at the end of a call, besides dropping the handle.
pub(super) trait End: Copy + Default {
    const COUNTS: bool = false;
    const READS_CLOCK: bool = false;
}

#[derive(Clone, Copy, Default)]
pub(super) struct Nothing;

impl End for Nothing {}

#[derive(Clone, Copy, Default)]
pub(super) struct Count;

impl End for Count {
    const COUNTS: bool = true;
}

#[derive(Clone, Copy, Default)]
pub(super) struct CountAndClock;

impl End for CountAndClock {
    const COUNTS: bool = true;
    const READS_CLOCK: bool = true;
}

/// Reads its state in `poll_ready` and in `call`, has a handle in its future, and does its work at the end.
#[derive(Clone)]
pub(super) struct Gate<S, H, D> {
    inner: S,
    state: H,
    end: D,
}

#[derive(Default)]
pub(super) struct State {
    word: AtomicU64,
    counter: Counter,
}

/// On a cache line of its own.
#[derive(Default)]
#[repr(align(64))]
struct Counter(AtomicU64);

impl<S, D: End> Gate<S, Arc<State>, D> {
    pub(super) fn shared(inner: S) -> Self {
        Gate { inner, state: Arc::default(), end: D::default() }
    }
}

impl<S, D: End> Gate<S, &'static State, D> {
    pub(super) fn leaked(inner: S) -> Self {
        Gate { inner, state: Box::leak(Box::default()), end: D::default() }
    }
}

impl<S, H, R, D> Service<R> for Gate<S, H, D>
where
    S: Service<R>,
    H: Deref<Target = State> + Clone,
    D: End,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = GateFuture<S::Future, H, D>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        black_box(self.state.word.load(Ordering::Acquire));
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: R) -> Self::Future {
        black_box(self.state.word.load(Ordering::Acquire));
        GateFuture { inner: self.inner.call(request), state: self.state.clone(), end: self.end }
    }
}

pin_project! {
    pub(super) struct GateFuture<F, H, D> {
        #[pin]
        inner: F,
        state: H,
        end: D,
    }
}

impl<F: Future, H: Deref<Target = State>, D: End> Future for GateFuture<F, H, D> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let output = ready!(this.inner.poll(cx));
        if D::READS_CLOCK {
            black_box(Instant::now());
        }
        if D::COUNTS {
            this.state.counter.0.fetch_add(1, Ordering::Relaxed);
        }
        Poll::Ready(output)
    }
}

/// Reads the clock and rejects, as the least that an open circuit breaker does.
#[derive(Clone)]
pub(super) struct Refuse<S> {
    inner: S,
    state: Arc<Open>,
}

struct Open {
    is_open: AtomicU64,
    until: Instant,
    name: Name,
}

impl<S> Refuse<S> {
    pub(super) fn new(inner: S) -> Refuse<S> {
        let open = Open { is_open: AtomicU64::new(1), until: Instant::now() + HOUR, name: "bench".into() };
        Refuse { inner, state: Arc::new(open) }
    }
}

pin_project! {
    #[project = RefuseProj]
    pub(super) enum RefuseFuture<F> {
        Inner { #[pin] inner: F },
        Rejected { rejected: Option<Rejected> },
    }
}

impl<F, T, E> Future for RefuseFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: From<Rejected>,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            RefuseProj::Inner { inner } => inner.poll(cx),
            RefuseProj::Rejected { rejected } => Poll::Ready(Err(rejected.take().expect("polled once").into())),
        }
    }
}

impl<S: Service<R, Error: From<Rejected>>, R> Service<R> for Refuse<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = RefuseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: R) -> Self::Future {
        let state = &self.state;
        if state.is_open.load(Ordering::Acquire) == 0 {
            return RefuseFuture::Inner { inner: self.inner.call(request) };
        }
        let left = state.until.saturating_duration_since(Instant::now());
        let rejected = Rejected::CircuitOpen { name: state.name.clone(), retry_after: Some(left).into() };
        RefuseFuture::Rejected { rejected: Some(rejected) }
    }
}
