use std::future::Future;

use super::classify::Classify;
use super::handle::CircuitBreaker;
use super::layer::CircuitBreakerLayer;
use crate::error::StackError;

/// A [`CircuitBreaker`] and the classifier that judges its calls. Made by [`CircuitBreaker::classify`], once, and kept beside or in place
/// of the circuit.
///
/// # Clone
/// Clones the circuit's handle and the classifier.
///
/// ```
/// use seaworthy::{BoxError, CircuitBreaker, Verdict};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let circuit_breaker = CircuitBreaker::builder("store").consecutive_failures(1).build()?;
/// // What is not there is no failure of the store.
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

    /// The circuit itself.
    #[must_use]
    pub fn circuit_breaker(&self) -> &CircuitBreaker {
        &self.circuit_breaker
    }

    /// A layer that puts the circuit around a service, with this classifier.
    pub fn layer(&self) -> CircuitBreakerLayer<C>
    where
        C: Clone,
    {
        self.circuit_breaker.layer().classify(self.classifier.clone())
    }

    /// As [`CircuitBreaker::run`].
    ///
    /// # Errors
    /// As [`CircuitBreaker::run`].
    ///
    /// # Cancellation
    /// As [`CircuitBreaker::run`].
    pub async fn run<F, T, E>(&self, future: F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: StackError,
        C: Classify<T, E>,
    {
        self.circuit_breaker.run_judged(future, &self.classifier).await
    }
}
