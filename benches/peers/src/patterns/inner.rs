//! What the layers are put around: as cheap as possible, and hidden from the optimiser.
//!
//! The error is a `BoxError`, which all crates support, and a typed one in our typed columns. Boxing a [`Failure`]
//! allocates nothing.

use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use seaworthy::BoxError;
use tower_service::Service;

use crate::Failure;

/// The request that fails.
pub(super) const FAIL: u64 = 0;

/// The compiler learns neither that nothing fails, nor what the answer is, so that it has to be carried like a real
/// one.
#[inline]
pub(super) fn answer<E: From<Failure>>(request: u64) -> Result<u64, E> {
    black_box(match black_box(request) {
        FAIL => Err(Failure.into()),
        request => Ok(request),
    })
}

/// Answers at once.
pub(super) struct AtOnce<E = BoxError>(PhantomData<fn() -> E>);

impl<E> AtOnce<E> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E> Clone for AtOnce<E> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<E: From<Failure>> Service<u64> for AtOnce<E> {
    type Response = u64;
    type Error = E;
    type Future = Ready<Result<u64, E>>;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: u64) -> Self::Future {
        ready(answer(request))
    }
}

/// Answers on the second poll.
pub(super) struct Late<E = BoxError>(PhantomData<fn() -> E>);

impl<E> Late<E> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E> Clone for Late<E> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

pub(super) struct SecondPoll<E> {
    request: u64,
    polled: bool,
    error: PhantomData<fn() -> E>,
}

impl<E: From<Failure>> Future for SecondPoll<E> {
    type Output = Result<u64, E>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        if std::mem::replace(&mut self.polled, true) { Poll::Ready(answer(self.request)) } else { Poll::Pending }
    }
}

impl<E: From<Failure>> Service<u64> for Late<E> {
    type Response = u64;
    type Error = E;
    type Future = SecondPoll<E>;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: u64) -> Self::Future {
        SecondPoll { request, polled: false, error: PhantomData }
    }
}

/// Fails all calls except every `good_every`-th, at once.
pub(super) struct Flaky<E = BoxError> {
    calls: &'static AtomicU64,
    good_every: u64,
    error: PhantomData<fn() -> E>,
}

impl<E> Flaky<E> {
    pub(super) fn new(good_every: u64) -> Self {
        Self { calls: Box::leak(Box::default()), good_every, error: PhantomData }
    }
}

impl<E> Clone for Flaky<E> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<E: From<Failure>> Service<u64> for Flaky<E> {
    type Response = u64;
    type Error = E;
    type Future = Ready<Result<u64, E>>;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: u64) -> Self::Future {
        let call = self.calls.load(Ordering::Relaxed) + 1;
        let good = call == self.good_every;
        self.calls.store(if good { 0 } else { call }, Ordering::Relaxed);
        ready(answer(if good { request } else { FAIL }))
    }
}
