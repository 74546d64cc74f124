use std::future::Future;

use super::classify::Classify;
use super::handle::Circuit;
use super::layer::CircuitBreakerLayer;
use crate::StackError;

/// A [`Circuit`] and the classifier that judges its calls. Made by [`Circuit::classify`], once, and kept beside or in place
/// of the circuit.
///
/// # Clone
/// Clones the circuit's handle and the classifier.
///
/// ```
/// use seaworthy::{BoxError, Circuit, Verdict};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let circuit = Circuit::builder("store").consecutive_failures(1).build()?;
/// // What is not there is no failure of the store.
/// let store = circuit.classify(|result: &Result<u32, BoxError>| match result {
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
pub struct ClassifiedCircuit<C> {
    circuit: Circuit,
    classifier: C,
}

impl<C> ClassifiedCircuit<C> {
    pub(super) fn new(circuit: Circuit, classifier: C) -> ClassifiedCircuit<C> {
        ClassifiedCircuit { circuit, classifier }
    }

    /// The circuit itself.
    #[must_use]
    pub fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    /// A layer that puts the circuit around a service, with this classifier.
    pub fn layer(&self) -> CircuitBreakerLayer<C>
    where
        C: Clone,
    {
        self.circuit.layer().classify(self.classifier.clone())
    }

    /// As [`Circuit::run`].
    ///
    /// # Errors
    /// As [`Circuit::run`].
    ///
    /// # Cancellation
    /// As [`Circuit::run`].
    pub async fn run<F, T, E>(&self, future: F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: StackError,
        C: Classify<T, E>,
    {
        self.circuit.run_judged(future, &self.classifier).await
    }
}
