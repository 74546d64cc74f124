//! The cheapest conceivable middleware of each kind, written by hand.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use pin_project_lite::pin_project;
use seaworthy::{Error, Name, Rejected};
use tower::Service;

/// What a floor does at the end of a call, besides reading its state twice.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Work {
    Nothing,
    Count,
    CountAndClock,
    /// Also counts at the start of a call, as a layer must that limits how many run at a time.
    CountInAndOut,
}

/// Reads its state in `poll_ready` and `call`, puts a handle into the future, and does its work at the end.
#[derive(Clone)]
pub(crate) struct Floor<S, H> {
    pub inner: S,
    pub state: H,
    pub work: Work,
}

/// The state behind the handle; the counter has its own cache line.
#[derive(Default)]
pub(crate) struct State {
    word: AtomicU64,
    counter: Counter,
}

#[derive(Default)]
#[repr(align(64))]
struct Counter(AtomicU64);

impl<S> Floor<S, Arc<State>> {
    pub(crate) fn shared(inner: S, work: Work) -> Self {
        Floor { inner, state: Arc::default(), work }
    }
}

impl<S> Floor<S, &'static State> {
    pub(crate) fn leaked(inner: S, work: Work) -> Self {
        Floor { inner, state: Box::leak(Box::default()), work }
    }
}

impl<S, H, R> Service<R> for Floor<S, H>
where
    S: Service<R>,
    H: Deref<Target = State> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = FloorFuture<S::Future, H>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        std::hint::black_box(self.state.word.load(Ordering::Acquire));
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: R) -> Self::Future {
        std::hint::black_box(self.state.word.load(Ordering::Acquire));
        if self.work == Work::CountInAndOut {
            self.state.counter.0.fetch_add(1, Ordering::AcqRel);
        }
        FloorFuture { inner: self.inner.call(request), state: self.state.clone(), work: self.work }
    }
}

pin_project! {
    pub struct FloorFuture<F, H> {
        #[pin]
        inner: F,
        state: H,
        work: Work,
    }
}

impl<F: Future, H: Deref<Target = State>> Future for FloorFuture<F, H> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let output = std::task::ready!(this.inner.poll(cx));
        if *this.work == Work::CountAndClock {
            std::hint::black_box(Instant::now());
        }
        if *this.work != Work::Nothing {
            this.state.counter.0.fetch_add(1, Ordering::Relaxed);
        }
        Poll::Ready(output)
    }
}

/// Reads the clock and rejects, the minimum for an open circuit.
#[derive(Clone)]
pub(crate) struct Refuse<T, E>(Name, PhantomData<fn() -> (T, E)>);

impl<T, E> Refuse<T, E> {
    pub(crate) fn new(name: &'static str) -> Self {
        Self(name.into(), PhantomData)
    }
}

impl<T, E, R> Service<R> for Refuse<T, E> {
    type Response = T;
    type Error = Error<E>;
    type Future = Ready<Result<T, Error<E>>>;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error<E>>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, _: R) -> Self::Future {
        std::hint::black_box(Instant::now());
        ready(Err(Rejected::CircuitOpen { name: self.0.clone(), retry_after: None.into() }.into()))
    }
}
