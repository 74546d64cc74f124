use super::handle::CircuitBreaker;
use super::held::HeldTicket;
use crate::machine::verdict::Verdict;

/// An admitted call, as [`CircuitBreaker::admit`] gives it: do the work, then [`settle`](Permit::settle).
///
/// # Cancellation
/// Dropping it unsettled counts as the circuit's [`OnDrop`](crate::OnDrop) says; as a failure if the thread is
/// unwinding from a panic. In any case a probe's permit is given back.
#[derive(Debug)]
#[must_use = "a permit that is dropped at once counts as a call that was given up"]
pub struct Permit(HeldTicket<CircuitBreaker>);

impl Permit {
    pub(super) fn new(held: HeldTicket<CircuitBreaker>) -> Permit {
        Permit(held)
    }

    /// Says how the call went. If the circuit changed its state or was reset since the call was admitted, or if the
    /// call was a probe that was given up, this changes nothing.
    pub fn settle(mut self, verdict: Verdict) {
        self.0.settle(verdict);
    }

    /// Whether the call is a probe of a half-open circuit.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.0.is_probe()
    }

    /// The circuit that let it pass.
    #[must_use]
    pub fn circuit_breaker(&self) -> &CircuitBreaker {
        self.0.circuit_breaker()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.settle(Verdict::Failure);
        }
    }
}
