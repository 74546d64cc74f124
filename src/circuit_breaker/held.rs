use std::borrow::Borrow;

use super::handle::CircuitBreaker;
use super::shared::Shared;
use super::ticket::Ticket;
use crate::machine::verdict::Verdict;

/// An admitted call that has not been settled yet. Dropping it settles it as `on_drop` says.
#[derive(Debug)]
pub(super) struct HeldTicket<H: Borrow<CircuitBreaker>> {
    circuit_breaker: H,
    ticket: Ticket,
    settled: bool,
}

impl<H: Borrow<CircuitBreaker>> HeldTicket<H> {
    #[inline]
    pub(super) fn new(circuit_breaker: H, ticket: Ticket) -> HeldTicket<H> {
        HeldTicket { circuit_breaker, ticket, settled: false }
    }

    #[inline]
    pub(super) fn circuit_breaker(&self) -> &CircuitBreaker {
        self.circuit_breaker.borrow()
    }

    pub(super) fn is_probe(&self) -> bool {
        self.ticket.is_probe()
    }

    /// Settles the call, once.
    #[inline]
    pub(super) fn settle(&mut self, verdict: Verdict) {
        if !std::mem::replace(&mut self.settled, true) {
            self.circuit_breaker().shared().settle(&self.ticket, verdict);
        }
    }
}

impl<H: Borrow<CircuitBreaker>> Drop for HeldTicket<H> {
    #[inline]
    fn drop(&mut self) {
        if !self.settled {
            let verdict = self.circuit_breaker().shared().verdict_on_drop(&self.ticket);
            self.settle(verdict);
        }
    }
}

/// Settles the call as a failure if it panics while running. An executor may catch the panic and drop the future only
/// later, when the thread is no longer unwinding.
pub(super) struct FailOnUnwind<'a, H: Borrow<CircuitBreaker>>(Option<&'a mut HeldTicket<H>>);

impl<'a, H: Borrow<CircuitBreaker>> FailOnUnwind<'a, H> {
    #[inline]
    pub(super) fn new(held: &'a mut HeldTicket<H>) -> FailOnUnwind<'a, H> {
        FailOnUnwind(Some(held))
    }

    /// There was no panic.
    #[inline]
    pub(super) fn disarm(mut self) {
        self.0 = None;
    }
}

impl<H: Borrow<CircuitBreaker>> Drop for FailOnUnwind<'_, H> {
    #[inline]
    fn drop(&mut self) {
        if let Some(held) = self.0.take() {
            held.settle(Verdict::Failure);
        }
    }
}

/// The same for a call that is still being made, before its ticket is held. It has copies, which may stay in registers:
/// they are read only if there is a panic.
pub(super) struct FailOnUnwindOfCall<'a> {
    pub(super) shared: &'a Shared,
    pub(super) ticket: Ticket,
}

impl FailOnUnwindOfCall<'_> {
    /// There was no panic.
    #[inline]
    pub(super) fn disarm(self) {
        std::mem::forget(self);
    }
}

impl Drop for FailOnUnwindOfCall<'_> {
    fn drop(&mut self) {
        self.shared.settle(&self.ticket, Verdict::Failure);
    }
}
