use super::handle::CircuitBreaker;

/// A circuit that is held open, as [`CircuitBreaker::hold_open`] gives it.
///
/// Dropping it lets go without a word: if nobody else holds the circuit, it stays open for what is left of the open time that
/// it was in when it was first held. If there is none, the next call is a probe.
#[derive(Debug)]
#[must_use = "a hold that is dropped at once lets go at once"]
pub struct OpenGuard {
    circuit_breaker: CircuitBreaker,
    generation: u64,
    released: bool,
}

impl OpenGuard {
    pub(super) fn new(circuit_breaker: CircuitBreaker, generation: u64) -> OpenGuard {
        OpenGuard { circuit_breaker, generation, released: false }
    }

    /// Lets go and says that the backend is well: if nobody else holds the circuit, it closes, with nothing counted. The
    /// word of whoever held it open stands for that of all probes.
    pub fn close(mut self) {
        self.release(true);
    }

    /// Whether this still holds the circuit open; not after a reset or a force.
    #[must_use]
    pub fn is_in_force(&self) -> bool {
        !self.released && self.circuit_breaker.shared().holds(self.generation)
    }

    /// The circuit that it holds open.
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
