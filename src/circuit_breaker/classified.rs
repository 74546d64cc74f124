use std::future::Future;

use super::future::CircuitBreakerRun;
use super::handle::CircuitBreaker;
use super::layer::CircuitBreakerLayer;
use crate::admission::classify::Classify;
use crate::error::StackError;

/// A [`CircuitBreaker`] together with the classifier that judges its calls. Made once by [`CircuitBreaker::classify`],
/// and kept beside the circuit breaker or in place of it.
///
/// # Clone
/// Clones the circuit breaker's handle and the classifier.
///
/// ```
/// use seaworthy::{BoxError, CircuitBreaker, Verdict};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let circuit_breaker = CircuitBreaker::builder("store").consecutive_failures(1).build()?;
/// // A missing entry is not a failure of the store.
/// let store = circuit_breaker.classify(|result: &Result<u32, BoxError>| match result {
///     Err(error) if error.to_string() == "not found" => Verdict::Success,
///     Err(_) => Verdict::Failure,
///     Ok(_) => Verdict::Success,
/// });
/// assert!(store.run(async { Err("not found".into()) }).await.is_err());
/// assert!(store.run(async { Ok(7) }).await.is_ok(), "it is still closed");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ClassifiedCircuitBreaker<C> {
    circuit_breaker: CircuitBreaker,
    classifier: C,
}

impl<C> ClassifiedCircuitBreaker<C> {
    pub(super) fn new(circuit_breaker: CircuitBreaker, classifier: C) -> ClassifiedCircuitBreaker<C> {
        ClassifiedCircuitBreaker { circuit_breaker, classifier }
    }

    /// The circuit breaker itself.
    #[must_use]
    pub fn circuit_breaker(&self) -> &CircuitBreaker {
        &self.circuit_breaker
    }

    /// A layer that puts the circuit breaker around a service, with this classifier.
    pub fn layer(&self) -> CircuitBreakerLayer<C>
    where
        C: Clone,
    {
        self.circuit_breaker.layer().classify(self.classifier.clone())
    }

    /// Like [`CircuitBreaker::run`].
    ///
    /// # Errors
    /// As [`CircuitBreaker::run`].
    ///
    /// # Cancellation
    /// As [`CircuitBreaker::run`].
    pub fn run<F, T, E>(&self, future: F) -> CircuitBreakerRun<'_, F, C>
    where
        F: Future<Output = Result<T, E>>,
        E: StackError,
        C: Classify<T, E>,
    {
        CircuitBreakerRun::new(&self.circuit_breaker, future, &self.classifier)
    }
}
