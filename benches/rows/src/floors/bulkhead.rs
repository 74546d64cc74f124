//! What counts calls in and out, and what is always full.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use seaworthy::{Name, Rejected};
use tower::Service;

use super::gate::RefuseFuture;

#[derive(Default)]
pub(super) struct Counters {
    in_use: AtomicU64,
    rejected: AtomicU64,
}

/// Counts calls in and out, with a handle in its future, and rejects none.
#[derive(Clone)]
pub(super) struct Room<S, H>(S, H);

impl<S> Room<S, Arc<Counters>> {
    pub(super) fn shared(inner: S) -> Self {
        Room(inner, Arc::default())
    }
}

impl<S> Room<S, &'static Counters> {
    pub(super) fn leaked(inner: S) -> Self {
        Room(inner, Box::leak(Box::default()))
    }
}

/// Counted when it is dropped, whether the call ended or not.
pub(super) struct Out<H: Deref<Target = Counters>>(H);

impl<H: Deref<Target = Counters>> Drop for Out<H> {
    #[inline]
    fn drop(&mut self) {
        self.0.in_use.fetch_sub(1, Ordering::AcqRel);
    }
}

pin_project! {
    pub(super) struct RoomFuture<F, H: Deref<Target = Counters>> {
        #[pin]
        inner: F,
        out: Option<Out<H>>,
    }
}

impl<F: Future, H: Deref<Target = Counters>> Future for RoomFuture<F, H> {
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

impl<S, H, R> Service<R> for Room<S, H>
where
    S: Service<R>,
    H: Deref<Target = Counters> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = RoomFuture<S::Future, H>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: R) -> Self::Future {
        self.1.in_use.fetch_add(1, Ordering::AcqRel);
        RoomFuture { out: Some(Out(self.1.clone())), inner: self.0.call(request) }
    }
}

/// Reads a count, which always says full, counts the rejection, and rejects.
pub(super) struct Full<S> {
    inner: S,
    counters: Arc<Counters>,
    name: Name,
}

impl<S> Full<S> {
    pub(super) fn new(inner: S) -> Full<S> {
        Full { inner, counters: Arc::default(), name: "bench".into() }
    }
}

impl<S: Service<R, Error: From<Rejected>>, R> Service<R> for Full<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = RefuseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: R) -> Self::Future {
        if self.counters.in_use.load(Ordering::Acquire) == u64::MAX {
            return RefuseFuture::Inner { inner: self.inner.call(request) };
        }
        self.counters.rejected.fetch_add(1, Ordering::Relaxed);
        let rejected = Rejected::BulkheadFull { name: self.name.clone(), retry_after: None::<Duration>.into() };
        RefuseFuture::Rejected { rejected: Some(rejected) }
    }
}
