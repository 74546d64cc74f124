use tower_layer::Layer;

use super::classify::ErrorClassifier;
use super::handle::CircuitBreaker;
use super::service::CircuitBreakerService;

/// Puts a [`CircuitBreaker`] around a service. All services made by it, and by its clones, share that one circuit.
///
/// It judges by errors alone unless [`classify`](Self::classify) says otherwise. A service that answers failures with
/// responses, as HTTP services do, needs that: around an axum handler or router, whose error is `Infallible`, the circuit
/// would never open. Over HTTP it is `.classify(HttpClassifier)`.
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
    /// Lets `classifier` say what a result tells about the backend: see [`Classify`](crate::Classify).
    ///
    /// Each call holds a clone of it, so let it be cheap to clone: a function, a closure that captures nothing or an
    /// `Arc`.
    pub fn classify<D>(self, classifier: D) -> CircuitBreakerLayer<D> {
        CircuitBreakerLayer { circuit_breaker: self.circuit_breaker, classifier, waits: self.waits }
    }

    /// Makes `poll_ready` wait while the circuit would reject, in place of being ready to reject.
    ///
    /// This is for balancers, which send requests elsewhere while an endpoint is not ready. A task that waits is woken
    /// when a call may pass: through a timer, the verdict on a probe, a reset or a force. A call can still be rejected,
    /// if the circuit opened or another call became the probe after `poll_ready`.
    ///
    /// # Panics
    /// Waiting needs tokio's timer: `poll_ready` panics outside of a runtime with time enabled, if it has to wait.
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
