use super::handle::Circuit;

/// A circuit that is held open, as [`Circuit::hold_open`] gives it.
///
/// Dropping it lets go without a word: if nobody else holds the circuit, it stays open for what is left of the open time that
/// it was in when it was first held. If there is none, the next call is a probe.
#[derive(Debug)]
#[must_use = "a hold that is dropped at once lets go at once"]
pub struct Hold {
    circuit: Circuit,
    generation: u64,
    released: bool,
}

impl Hold {
    pub(super) fn new(circuit: Circuit, generation: u64) -> Hold {
        Hold { circuit, generation, released: false }
    }

    /// Lets go and says that the backend is well: if nobody else holds the circuit, it closes, with nothing counted. The
    /// word of whoever held it open stands for that of all probes.
    pub fn close(mut self) {
        self.release(true);
    }

    /// Whether this still holds the circuit open; not after a reset or a force.
    #[must_use]
    pub fn is_in_force(&self) -> bool {
        !self.released && self.circuit.core().holds(self.generation)
    }

    /// The circuit that it holds open.
    #[must_use]
    pub fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    fn release(&mut self, well: bool) {
        if !std::mem::replace(&mut self.released, true) {
            self.circuit.core().release(self.generation, well);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.release(false);
    }
}
