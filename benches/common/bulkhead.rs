//! The cheapest conceivable bulkheads, written by hand.

use std::future::Future;
use std::hint::black_box;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use seaworthy::{Name, Rejected};
use tower::Service;

#[derive(Default)]
pub(crate) struct Counters {
    in_use: AtomicU64,
    rejected: AtomicU64,
}

/// The floor with room: counts calls in and out, with a handle in the future, and rejects none. With `LOOKS` it reads
/// the count in `poll_ready` and `call`, as a layer must that may answer before anything is taken.
#[derive(Clone)]
pub(crate) struct Count<S, H, const LOOKS: bool>(pub S, pub H);

pub(crate) struct Out<H: Deref<Target = Counters>>(H);

impl<H: Deref<Target = Counters>> Drop for Out<H> {
    #[inline]
    fn drop(&mut self) {
        self.0.in_use.fetch_sub(1, Ordering::AcqRel);
    }
}

pin_project! {
    pub struct CountFuture<F, H: Deref<Target = Counters>> {
        #[pin]
        inner: F,
        out: Option<Out<H>>,
    }
}

impl<F: Future, H: Deref<Target = Counters>> Future for CountFuture<F, H> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let poll = this.inner.poll(cx);
        if poll.is_ready() {
            *this.out = None;
        }
        poll
    }
}

impl<S, H, R, const LOOKS: bool> Service<R> for Count<S, H, LOOKS>
where
    S: Service<R>,
    H: Deref<Target = Counters> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = CountFuture<S::Future, H>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        if LOOKS {
            black_box(self.1.in_use.load(Ordering::Acquire));
        }
        self.0.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: R) -> Self::Future {
        if LOOKS {
            black_box(self.1.in_use.load(Ordering::Acquire));
        }
        self.1.in_use.fetch_add(1, Ordering::AcqRel);
        CountFuture { out: Some(Out(self.1.clone())), inner: self.0.call(request) }
    }
}

/// The floor when full: reads a count, which always says full, and counts the rejection.
pub(crate) struct Reject<S> {
    pub inner: S,
    pub counters: Arc<Counters>,
    pub name: Name,
}

pin_project! {
    #[project = RejectProj]
    pub enum RejectFuture<F> {
        Inner { #[pin] inner: F },
        Rejected { rejected: Option<Rejected> },
    }
}

impl<F, T, E> Future for RejectFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: From<Rejected>,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            RejectProj::Inner { inner } => inner.poll(cx),
            RejectProj::Rejected { rejected } => Poll::Ready(Err(rejected.take().expect("polled once").into())),
        }
    }
}

impl<S, R> Service<R> for Reject<S>
where
    S: Service<R, Error: From<Rejected>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = RejectFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: R) -> Self::Future {
        if self.counters.in_use.load(Ordering::Acquire) == u64::MAX {
            return RejectFuture::Inner { inner: self.inner.call(request) };
        }
        self.counters.rejected.fetch_add(1, Ordering::Relaxed);
        RejectFuture::Rejected {
            rejected: Some(Rejected::BulkheadFull { name: self.name.clone(), retry_after: None.into() }),
        }
    }
}
