use tower_layer::Layer;

use super::handle::CircuitBreaker;
use super::service::CircuitBreakerService;
use crate::admission::classify::ErrorClassifier;

/// Puts a [`CircuitBreaker`] around a service. All services made by this layer and its clones share that circuit
/// breaker.
///
/// It judges by errors alone unless [`classify`](Self::classify) says otherwise. A service that reports failures in its
/// responses, as HTTP services do, needs a classifier: around an axum handler or router, whose error is `Infallible`,
/// the circuit would never open. For HTTP, use `.classify(HttpClassifier)`.
///
/// Made by [`CircuitBreaker::layer`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct CircuitBreakerLayer<C = ErrorClassifier> {
    circuit_breaker: CircuitBreaker,
    classifier: C,
    waits: bool,
}

impl CircuitBreakerLayer {
    /// Rejects while `circuit_breaker` is open; every error is a failure.
    pub fn new(circuit_breaker: CircuitBreaker) -> CircuitBreakerLayer {
        CircuitBreakerLayer { circuit_breaker, classifier: ErrorClassifier, waits: false }
    }
}

impl<C> CircuitBreakerLayer<C> {
    pub(crate) fn circuit_breaker(&self) -> &CircuitBreaker {
        &self.circuit_breaker
    }

    /// Lets `classifier` decide what a result says about the backend: see [`Classify`](crate::Classify).
    ///
    /// Each call holds a clone of it, so it should be cheap to clone: a function, a closure that captures nothing, or
    /// an `Arc`.
    pub fn classify<D>(self, classifier: D) -> CircuitBreakerLayer<D> {
        CircuitBreakerLayer { circuit_breaker: self.circuit_breaker, classifier, waits: self.waits }
    }

    /// Makes `poll_ready` wait while the circuit breaker would reject, instead of being ready and rejecting.
    ///
    /// This is for balancers, which send requests elsewhere while an endpoint is not ready. A waiting task is woken
    /// when a call may pass: by a timer, the verdict on a probe, a reset or a force. Only as many are woken as calls
    /// may pass, those that came first before the others; one that is then dropped, or ready and in no hurry, holds up
    /// nobody. A call can still be rejected if the circuit opened or another call became the probe after `poll_ready`.
    ///
    /// # Panics
    /// Waiting needs tokio's timer: if it has to wait, `poll_ready` panics outside a runtime with time enabled.
    pub fn wait(mut self) -> CircuitBreakerLayer<C> {
        self.waits = true;
        self
    }
}

impl<S, C: Clone> Layer<S> for CircuitBreakerLayer<C> {
    type Service = CircuitBreakerService<S, C>;

    fn layer(&self, inner: S) -> CircuitBreakerService<S, C> {
        CircuitBreakerService::new(inner, self.circuit_breaker.clone(), self.classifier.clone(), self.waits)
    }
}
