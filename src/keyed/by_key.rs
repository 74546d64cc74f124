use std::fmt;
use std::task::{Context, Poll};

use tower_service::Service;

use super::handle::Keyed;
use super::select::PickHandle;
use crate::admission::classify::{Classify, ErrorClassifier};
use crate::bulkhead::handle::Bulkhead;
use crate::circuit_breaker::handle::CircuitBreaker;
use crate::error::StackError;
use crate::shared::CloneOrSharedLayer;
use crate::{bulkhead, circuit_breaker};

/// Puts each request through the circuit breaker of its key.
///
/// `poll_ready` is the inner service's, because it is not known yet which request will come. `call` finds the circuit
/// breaker, and rejects the request or passes it on. If it rejects a call, what the inner service reserved in its
/// `poll_ready` stays reserved for the next one. An error of `poll_ready` belongs to no key: it is passed on and counts
/// for no circuit breaker.
///
/// # Clone
/// A clone shares the circuit breakers; it is not ready just because the original is.
pub struct KeyedCircuitBreakerService<S, K, P, C = ErrorClassifier> {
    inner: S,
    keyed: Keyed<K, CircuitBreaker>,
    select: P,
    classifier: C,
}

impl<S, K, P, C> KeyedCircuitBreakerService<S, K, P, C> {
    pub(super) fn new(inner: S, keyed: Keyed<K, CircuitBreaker>, select: P, classifier: C) -> Self {
        KeyedCircuitBreakerService { inner, keyed, select, classifier }
    }

    /// The circuit breakers that this service shares.
    pub fn keyed(&self) -> &Keyed<K, CircuitBreaker> {
        &self.keyed
    }

    accessors!(self.inner, "Calls made on it directly are not counted.");
}

impl<S, K, P, C, Request> Service<Request> for KeyedCircuitBreakerService<S, K, P, C>
where
    S: Service<Request>,
    S::Error: StackError,
    P: PickHandle<Request, K>,
    C: Classify<S::Response, S::Error> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = circuit_breaker::ResponseFuture<S::Future, C>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        let circuit_breaker = self.select.select(&self.keyed, &request);
        circuit_breaker::call_through(circuit_breaker, &mut self.inner, request, &self.classifier)
    }
}

/// Runs each request under a permit of its key's bulkhead.
///
/// `poll_ready` is the inner service's, because it is not known yet which request will come. `call` finds the bulkhead,
/// and takes a permit, waits for one in the response future, or rejects the request. A call that waits holds no
/// readiness of the inner service; once it has a permit, it makes a clone of the service ready and calls that.
///
/// # Clone
/// A clone shares the bulkheads; it is not ready just because the original is.
pub struct KeyedBulkheadService<S, K, P> {
    inner: S,
    keyed: Keyed<K, Bulkhead>,
    select: P,
}

impl<S, K, P> KeyedBulkheadService<S, K, P> {
    pub(super) fn new(inner: S, keyed: Keyed<K, Bulkhead>, select: P) -> Self {
        KeyedBulkheadService { inner, keyed, select }
    }

    /// The bulkheads that this service shares.
    pub fn keyed(&self) -> &Keyed<K, Bulkhead> {
        &self.keyed
    }

    accessors!(self.inner, "Calls made on it directly take no permit.");
}

impl<S, K, P, Request> Service<Request> for KeyedBulkheadService<S, K, P>
where
    S: Service<Request> + CloneOrSharedLayer,
    S::Error: StackError,
    P: PickHandle<Request, K>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = bulkhead::ResponseFuture<S::Future, S, Request>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        let bulkhead = self.select.select(&self.keyed, &request);
        bulkhead::call_through(bulkhead, &mut self.inner, request)
    }
}

// By hand, because a derive would require the key to be `Clone` as well.
impl<S: Clone, K, P: Clone, C: Clone> Clone for KeyedCircuitBreakerService<S, K, P, C> {
    fn clone(&self) -> Self {
        KeyedCircuitBreakerService::new(
            self.inner.clone(),
            self.keyed.clone(),
            self.select.clone(),
            self.classifier.clone(),
        )
    }
}

impl<S: Clone, K, P: Clone> Clone for KeyedBulkheadService<S, K, P> {
    fn clone(&self) -> Self {
        KeyedBulkheadService::new(self.inner.clone(), self.keyed.clone(), self.select.clone())
    }
}

macro_rules! show {
    ($service:ident, <$($parameter:ident),*>) => {
        impl<S: fmt::Debug, $($parameter),*> fmt::Debug for $service<S, $($parameter),*> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($service))
                    .field("inner", &self.inner)
                    .field("keyed", &self.keyed)
                    .finish_non_exhaustive()
            }
        }
    };
}

show!(KeyedCircuitBreakerService, <K, P, C>);
show!(KeyedBulkheadService, <K, P>);
