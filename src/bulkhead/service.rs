use std::task::{Context, Poll, ready};

use tower_service::Service;

use super::acquire::Waiter;
use super::future::ResponseFuture;
use super::handle::Bulkhead;
use super::held::{HeldPermit, Permit};
use crate::error::StackError;
use crate::shared::CloneOrSharedLayer;

/// Lets as many calls run at once as its [`Bulkhead`] has permits; the others are rejected at once, or wait in their
/// response futures.
///
/// While a permit is free, `poll_ready` is the inner service's. It never takes one, so a ready service may sit idle.
/// While none is free, it is ready without polling the inner service. `call` decides: whatever `poll_ready` saw, a call
/// passes if a permit is free and does not if none is.
///
/// If the inner service was not made ready for a call, because the call waited or because no permit was free at
/// `poll_ready`, the call makes a clone of the inner service ready once it has a permit, and calls that. Such a call
/// allocates; others do not.
///
/// # Clone
/// A clone shares the permits; it is not ready just because the original is. The inner service must be `Clone`; put one
/// that is not under a [`SharedLayer`](crate::SharedLayer).
#[derive(Debug)]
pub struct BulkheadService<S> {
    inner: S,
    bulkhead: Bulkhead,
    /// Whether `inner` has been made ready and not called since.
    ready: bool,
}

impl<S> BulkheadService<S> {
    pub(super) fn new(inner: S, bulkhead: Bulkhead) -> BulkheadService<S> {
        BulkheadService { inner, bulkhead, ready: false }
    }

    /// The bulkhead that this service shares.
    pub fn bulkhead(&self) -> &Bulkhead {
        &self.bulkhead
    }

    accessors!(self.inner, "Calls made on it directly take no permit.", unready: self.ready = false);
}

impl<S: Clone> BulkheadService<S> {
    #[cold]
    fn call_unready<F, Request>(&mut self, request: Request) -> ResponseFuture<F, S, Request> {
        let permit = Permit::new(HeldPermit::new(self.bulkhead.clone()));
        ResponseFuture::granted(permit, self.unready_clone(), request)
    }

    #[cold]
    fn call_later<F, Request>(&mut self, request: Request) -> ResponseFuture<F, S, Request> {
        let waiter = Waiter::new(self.bulkhead.clone());
        ResponseFuture::waiting(waiter, self.unready_clone(), request)
    }

    /// A clone of the inner service that is not ready.
    fn unready_clone(&mut self) -> S {
        // While its caller waits, it does not hold the readiness that was meant for it either.
        if std::mem::replace(&mut self.ready, false) {
            self.inner = self.inner.clone();
        }
        self.inner.clone()
    }
}

impl<S: Clone> Clone for BulkheadService<S> {
    fn clone(&self) -> BulkheadService<S> {
        BulkheadService::new(self.inner.clone(), self.bulkhead.clone())
    }
}

impl<S, Request> Service<Request> for BulkheadService<S>
where
    S: Service<Request> + CloneOrSharedLayer,
    S::Error: StackError,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, S, Request>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        if self.bulkhead.shared().has_room() {
            self.ready = false;
            ready!(self.inner.poll_ready(cx))?;
            self.ready = true;
        }
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        match self.bulkhead.shared().try_acquire() {
            Ok(()) if self.ready => {
                self.ready = false;
                let permit = Permit::new(HeldPermit::new(self.bulkhead.clone()));
                ResponseFuture::running(permit, self.inner.call(request))
            }
            Ok(()) => self.call_unready(request),
            Err(permits) if self.bulkhead.shared().may_wait(permits) => self.call_later(request),
            Err(_) => {
                // In this order: the future is written to memory before the count, which has to wait for that write,
                // and read after it.
                let future = ResponseFuture::rejected(self.bulkhead.shared().rejection());
                self.bulkhead.shared().rejected(None);
                future
            }
        }
    }
}

/// Makes a call on a service that was made ready, under a permit of a bulkhead picked for this call.
#[inline]
pub(crate) fn call_through<S, Request>(
    bulkhead: Bulkhead,
    inner: &mut S,
    request: Request,
) -> ResponseFuture<S::Future, S, Request>
where
    S: Service<Request> + Clone,
{
    match bulkhead.shared().try_acquire() {
        Ok(()) => {
            let permit = Permit::new(HeldPermit::new(bulkhead));
            ResponseFuture::running(permit, inner.call(request))
        }
        Err(permits) if bulkhead.shared().may_wait(permits) => {
            // While its caller waits, it does not hold the readiness that was meant for it.
            *inner = inner.clone();
            ResponseFuture::waiting(Waiter::new(bulkhead), inner.clone(), request)
        }
        Err(_) => ResponseFuture::rejected(bulkhead.shared().reject(None)),
    }
}
