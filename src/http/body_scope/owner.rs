use std::sync::Arc;

use crate::admission::{Admission, HeldFlag, HeldTicket};
use crate::circuit_breaker::Ticket;
use crate::circuit_breaker::handle::CircuitBreaker;
use crate::machine::circuit_breaker::body_scope::BodyScope;
use crate::policy::admission::PolicyTicket;
use crate::policy::handle::Policy;

/// What a call holds while it goes on in its body. Dropping it releases what is left.
pub(in crate::http) trait BodyOwner {
    fn scope(&self) -> &BodyScope;

    /// What the call remembers until it has ended.
    fn flag(&mut self) -> &mut HeldFlag;

    /// The circuit breaker that let the call pass, if there is one.
    fn circuit(&self) -> Option<(&CircuitBreaker, &Ticket)>;
}

/// For a circuit breaker on its own.
pub(super) struct CircuitOwner {
    pub(super) circuit_breaker: CircuitBreaker,
    pub(super) ticket: Ticket,
    pub(super) scope: Option<Arc<BodyScope>>,
}

impl BodyOwner for CircuitOwner {
    #[inline]
    fn scope(&self) -> &BodyScope {
        self.scope.as_deref().unwrap_or(&BodyScope::DEFAULT)
    }

    #[inline]
    fn flag(&mut self) -> &mut HeldFlag {
        self.ticket.held()
    }

    #[inline]
    fn circuit(&self) -> Option<(&CircuitBreaker, &Ticket)> {
        Some((&self.circuit_breaker, &self.ticket))
    }
}

/// For the parts of a policy.
pub(in crate::http) struct PolicyOwner {
    pub(in crate::http) policy: Policy,
    pub(in crate::http) ticket: PolicyTicket,
}

impl BodyOwner for PolicyOwner {
    #[inline]
    fn scope(&self) -> &BodyScope {
        self.policy.body_scope().unwrap_or(&BodyScope::DEFAULT)
    }

    #[inline]
    fn flag(&mut self) -> &mut HeldFlag {
        self.ticket.held()
    }

    #[inline]
    fn circuit(&self) -> Option<(&CircuitBreaker, &Ticket)> {
        self.policy.circuit_breaker().zip(self.ticket.circuit())
    }
}

impl Drop for PolicyOwner {
    fn drop(&mut self) {
        self.policy.release(&self.ticket);
    }
}
