use std::fmt::{self, Debug};

use super::admission::PolicyTicket;
use super::handle::Policy;
use super::kept::EndedAttempt;
use crate::admission::Admission;
use crate::machine::verdict::Verdict;

/// What a call through a policy goes on holding when it has ended, as returned by
/// [`PolicyCall::run_held`](super::PolicyCall::run_held): its permit of the bulkhead, and what the circuit breaker is
/// still to be told. [`settle`](Permit::settle) it when what the call returned is over.
///
/// # Cancellation
/// Dropping it unsettled counts as the circuit breaker's [`OnDrop`](crate::OnDrop) says, or as a failure if the thread
/// is unwinding from a panic. Either way the bulkhead's permit is released.
#[must_use = "a permit that is dropped at once counts as an abandoned call"]
pub struct Permit {
    policy: Policy,
    ticket: PolicyTicket,
    /// None once the circuit breaker knows how the call went.
    head: Option<Verdict>,
}

impl Permit {
    pub(super) fn new(ended: EndedAttempt<'_>) -> Permit {
        let policy = ended.policy.clone();
        let (ticket, head) = ended.keep();
        Permit { policy, ticket, head }
    }

    /// Records how it went in the end, and releases the bulkhead's permit. Nothing is recorded if what the call
    /// returned was a failure in itself, or if there is no circuit breaker; nor if that has changed state or been reset
    /// since it admitted the call.
    pub fn settle(mut self, verdict: Verdict) {
        if self.head.take().is_some() {
            self.policy.settle(&self.ticket, verdict);
        }
    }

    /// Whether the call is a probe of a half-open circuit.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.ticket.circuit().is_some_and(|ticket| ticket.is_probe())
    }

    /// The policy that admitted it.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        match self.head.take() {
            Some(_) if std::thread::panicking() => self.policy.settle(&self.ticket, Verdict::Failure),
            Some(_) => self.policy.settle_dropped(&self.ticket),
            None => {}
        }
        self.policy.release(&self.ticket);
    }
}

impl Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("policy", self.policy.name()).field("is_probe", &self.is_probe()).finish()
    }
}
