use super::handle::CircuitBreaker;

/// Holds a circuit open, as returned by [`CircuitBreaker::hold_open`].
///
/// Dropping it says nothing about the backend: if no other guard holds the circuit, it stays open for the rest of the
/// open time it was in when it was first held. If there is none left, the next call is a probe.
#[derive(Debug)]
#[must_use = "a guard that is dropped at once holds nothing open"]
pub struct OpenGuard {
    circuit_breaker: CircuitBreaker,
    generation: u64,
    released: bool,
}

impl OpenGuard {
    pub(super) fn new(circuit_breaker: CircuitBreaker, generation: u64) -> OpenGuard {
        OpenGuard { circuit_breaker, generation, released: false }
    }

    /// Releases the circuit and says that the backend is healthy: if no other guard holds it, it closes, with all
    /// counts cleared. The caller's word replaces that of all probes.
    pub fn close(mut self) {
        self.release(true);
    }

    /// Whether this guard still holds the circuit open; false after a reset or a force.
    #[must_use]
    pub fn is_in_force(&self) -> bool {
        !self.released && self.circuit_breaker.shared().holds(self.generation)
    }

    /// The circuit breaker that it holds open.
    #[must_use]
    pub fn circuit_breaker(&self) -> &CircuitBreaker {
        &self.circuit_breaker
    }

    fn release(&mut self, well: bool) {
        if !std::mem::replace(&mut self.released, true) {
            self.circuit_breaker.shared().release(self.generation, well);
        }
    }
}

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.release(false);
    }
}
