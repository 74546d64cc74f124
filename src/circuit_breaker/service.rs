use std::task::{Context, Poll};

use tower_service::Service;

use super::admission::ReadyMode;
use super::future::ResponseFuture;
use super::handle::CircuitBreaker;
use crate::admission::classify::{Classify, ErrorClassifier};
use crate::admission::gate;
use crate::error::StackError;

/// Fails requests at once while the circuit is open, and reports to the circuit breaker how the others went.
///
/// While calls pass, `poll_ready` is the inner service's. While they do not, it is ready without polling the inner
/// service, and the call that follows is rejected, even if the circuit closed in between; for the alternative, see
/// [`CircuitBreakerLayer::wait`](super::CircuitBreakerLayer::wait). It never takes a probe's permit, so a ready service
/// may sit idle; whatever the inner service reserved in its own `poll_ready` stays reserved until the next call or
/// until this service is dropped, even if the circuit opens in between. An error of the inner service's `poll_ready` is
/// passed on and counts as a failed call.
///
/// # Clone
/// A clone shares the circuit breaker; it is not ready just because the original is.
#[derive(Debug)]
pub struct CircuitBreakerService<S, C = ErrorClassifier> {
    inner: S,
    circuit_breaker: CircuitBreaker,
    classifier: C,
    ready_mode: ReadyMode,
}

impl<S, C> CircuitBreakerService<S, C> {
    pub(super) fn new(
        inner: S,
        circuit_breaker: CircuitBreaker,
        classifier: C,
        waits: bool,
    ) -> CircuitBreakerService<S, C> {
        CircuitBreakerService { inner, circuit_breaker, classifier, ready_mode: ReadyMode::new(waits) }
    }

    /// The circuit breaker that this service shares.
    pub fn circuit_breaker(&self) -> &CircuitBreaker {
        &self.circuit_breaker
    }

    accessors!(self.inner, "Calls made on it directly are not counted.");
}

impl<S: Clone, C: Clone> Clone for CircuitBreakerService<S, C> {
    fn clone(&self) -> CircuitBreakerService<S, C> {
        CircuitBreakerService {
            inner: self.inner.clone(),
            circuit_breaker: self.circuit_breaker.clone(),
            classifier: self.classifier.clone(),
            ready_mode: self.ready_mode.anew(),
        }
    }
}

impl<S, C, Request> Service<Request> for CircuitBreakerService<S, C>
where
    S: Service<Request>,
    S::Error: StackError,
    C: Classify<S::Response, S::Error> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, C>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        gate::poll_ready(&self.circuit_breaker, (), &mut self.ready_mode, &mut self.inner, cx)
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        let CircuitBreakerService { inner, circuit_breaker, classifier, ready_mode } = self;
        ResponseFuture::new(gate::call(&*circuit_breaker, (), ready_mode, inner, request, classifier, Clone::clone))
    }
}

/// Makes a call on a service that was made ready, with a circuit breaker picked for this call.
#[inline]
pub(crate) fn call_through<S, C, Request>(
    circuit_breaker: CircuitBreaker,
    inner: &mut S,
    request: Request,
    classifier: &C,
) -> ResponseFuture<S::Future, C>
where
    S: Service<Request>,
    C: Clone,
{
    let own = |circuit_breaker| circuit_breaker;
    ResponseFuture::new(gate::call(circuit_breaker, (), &mut ReadyMode::default(), inner, request, classifier, own))
}
