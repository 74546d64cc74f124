use super::handle::CircuitBreaker;
use super::ticket::Ticket;
use crate::admission::{Admission, HeldTicket as _};
use crate::machine::verdict::Verdict;

/// An admitted call, as returned by [`CircuitBreaker::admit`]: do the work, then [`settle`](Permit::settle).
///
/// # Cancellation
/// Dropping it unsettled counts as the circuit breaker's [`OnDrop`](crate::OnDrop) says, or as a failure if the thread
/// is unwinding from a panic. Either way a probe's permit is released.
#[derive(Debug)]
#[must_use = "a permit that is dropped at once counts as an abandoned call"]
pub struct Permit {
    circuit_breaker: CircuitBreaker,
    ticket: Ticket,
}

impl Permit {
    #[inline]
    pub(super) fn new(circuit_breaker: CircuitBreaker, ticket: Ticket) -> Permit {
        Permit { circuit_breaker, ticket }
    }

    /// Records how the call went. This changes nothing if the circuit breaker has changed state or been reset since it
    /// admitted the call, or if the call was a probe that was given up.
    pub fn settle(mut self, verdict: Verdict) {
        self.ticket.held().take();
        self.circuit_breaker.settle(&self.ticket, verdict);
    }

    /// Whether the call is a probe of a half-open circuit.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.ticket.is_probe()
    }

    /// The circuit breaker that admitted it.
    #[must_use]
    pub fn circuit_breaker(&self) -> &CircuitBreaker {
        &self.circuit_breaker
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        match self.ticket.held().take() {
            true if std::thread::panicking() => self.circuit_breaker.settle(&self.ticket, Verdict::Failure),
            true => self.circuit_breaker.settle_dropped(&self.ticket),
            false => {}
        }
    }
}
