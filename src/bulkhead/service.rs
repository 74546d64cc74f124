use std::task::{Context, Poll};

use tower_service::Service;

use super::future::ResponseFuture;
use super::handle::Bulkhead;
use crate::admission::classify::ErrorClassifier;
use crate::admission::gate::Readiness;
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
    gate: Readiness<()>,
}

impl<S> BulkheadService<S> {
    pub(super) fn new(inner: S, bulkhead: Bulkhead) -> BulkheadService<S> {
        BulkheadService { inner, bulkhead, gate: Readiness::default() }
    }

    /// The bulkhead that this service shares.
    pub fn bulkhead(&self) -> &Bulkhead {
        &self.bulkhead
    }

    accessors!(self.inner, "Calls made on it directly take no permit.", unready: self.gate.forget_readiness());
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
        self.gate.poll_ready(&self.bulkhead, (), &mut self.inner, cx)
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        self.gate.call(&self.bulkhead, (), &mut self.inner, request, &ErrorClassifier, |state, held| {
            ResponseFuture::new(state, held.map(|(handle, classifier)| (handle.clone(), classifier)))
        })
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
    Readiness::ready().call(bulkhead, (), inner, request, &ErrorClassifier, ResponseFuture::new)
}
