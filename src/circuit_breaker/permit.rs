use super::handle::CircuitBreaker;
use super::held::HeldTicket;
use crate::machine::verdict::Verdict;

/// An admitted call, as returned by [`CircuitBreaker::admit`]: do the work, then [`settle`](Permit::settle).
///
/// # Cancellation
/// Dropping it unsettled counts as the circuit breaker's [`OnDrop`](crate::OnDrop) says, or as a failure if the thread
/// is unwinding from a panic. Either way a probe's permit is released.
#[derive(Debug)]
#[must_use = "a permit that is dropped at once counts as an abandoned call"]
pub struct Permit(HeldTicket<CircuitBreaker>);

impl Permit {
    pub(super) fn new(held: HeldTicket<CircuitBreaker>) -> Permit {
        Permit(held)
    }

    /// Records how the call went. This changes nothing if the circuit breaker has changed state or been reset since it
    /// admitted the call, or if the call was a probe that was given up.
    pub fn settle(mut self, verdict: Verdict) {
        self.0.settle(verdict);
    }

    /// Whether the call is a probe of a half-open circuit.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.0.is_probe()
    }

    /// The circuit breaker that admitted it.
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
