use std::borrow::Borrow;

use super::class::Class;
use super::handle::Policy;
use crate::bulkhead::{HeldPermit, Permit};
use crate::circuit_breaker::Ticket;
use crate::error::Rejected;
use crate::machine::verdict::Verdict;

/// What a call has been given on its way through a policy. Dropping it settles the call as the circuit's `on_drop` says
/// and gives the permit back.
///
/// It holds one handle of the policy for all parts, and not one of each.
#[derive(Debug)]
pub(super) struct Pass<H: Borrow<Policy>> {
    policy: H,
    taken: PassContents,
}

/// A ticket and a permit, or neither.
#[derive(Debug)]
pub(super) struct PassContents {
    ticket: Ticket,
    /// Whether the circuit has yet to be told how the call went.
    admitted: bool,
    permit: bool,
}

const NOTHING: PassContents = PassContents { ticket: Ticket::NONE, admitted: false, permit: false };

impl<H: Borrow<Policy>> Pass<H> {
    /// Nothing has been taken.
    #[inline]
    pub(super) fn new(policy: H) -> Pass<H> {
        Pass { policy, taken: NOTHING }
    }

    #[inline]
    pub(super) fn policy(&self) -> &Policy {
        self.policy.borrow()
    }

    #[inline]
    pub(super) fn set_ticket(&mut self, ticket: Ticket) {
        self.taken.ticket = ticket;
        self.taken.admitted = true;
    }

    /// The caller has taken a permit.
    #[inline]
    pub(super) fn set_permit(&mut self) {
        self.taken.permit = true;
    }

    /// Gives the permit away, with a handle of its own, if there is one.
    pub(super) fn hand_out_permit(&mut self) -> Option<Permit> {
        if !std::mem::take(&mut self.taken.permit) {
            return None;
        }
        self.policy().bulkhead().map(|bulkhead| Permit::new(HeldPermit::new(bulkhead.clone())))
    }

    /// Asks the circuit, if there is one on the way.
    #[inline]
    pub(super) fn admit(&mut self, class: Class) -> Result<(), Rejected> {
        if let Some(circuit_breaker) = self.policy.borrow().circuit_breaker_for(class) {
            match circuit_breaker.shared().admit() {
                Ok(ticket) => self.set_ticket(ticket),
                Err(refusal) => return Err(circuit_breaker.reject(refusal)),
            }
        }
        Ok(())
    }

    /// Gives the circuit its ticket back, for a call that has to wait for its permit: it asks again when it has it, and
    /// until then is not in the way of another probe.
    #[cold]
    pub(super) fn hand_back_ticket(&mut self) {
        if std::mem::take(&mut self.taken.admitted) {
            if let Some(circuit_breaker) = self.policy().circuit_breaker() {
                circuit_breaker.shared().take_back(&self.taken.ticket);
            }
        }
    }

    /// Gives the permit back, if there is one.
    #[inline]
    pub(super) fn give_back(&mut self) {
        if std::mem::take(&mut self.taken.permit) {
            if let Some(bulkhead) = self.policy().bulkhead() {
                bulkhead.shared().give_back();
            }
        }
    }

    /// Tells the circuit how the call went, once.
    #[inline]
    pub(super) fn settle(&mut self, verdict: Verdict) {
        if std::mem::take(&mut self.taken.admitted) {
            if let Some(circuit_breaker) = self.policy().circuit_breaker() {
                circuit_breaker.shared().settle(&self.taken.ticket, verdict);
            }
        }
    }

    /// Tells the circuit that the call is dropped, if it has not ended.
    #[inline]
    pub(super) fn settle_dropped(&mut self) {
        if self.taken.admitted {
            if let Some(circuit_breaker) = self.policy().circuit_breaker() {
                let verdict = circuit_breaker.shared().verdict_on_drop(&self.taken.ticket);
                self.settle(verdict);
            }
        }
    }
}

impl Pass<Policy> {
    /// Holds this for another attempt. It held nothing.
    pub(super) fn put(&mut self, taken: PassContents) {
        self.taken = taken;
    }
}

impl<'a> Pass<&'a Policy> {
    #[inline]
    pub(super) fn policy_ref(&self) -> &'a Policy {
        self.policy
    }

    /// The same, with a handle of its own.
    #[inline]
    pub(super) fn into_owned(mut self) -> Pass<Policy> {
        Pass { policy: self.policy.clone(), taken: std::mem::replace(&mut self.taken, NOTHING) }
    }

    /// What was taken, for another pass under the same policy to hold.
    pub(super) fn into_taken(mut self) -> PassContents {
        std::mem::replace(&mut self.taken, NOTHING)
    }
}

impl<H: Borrow<Policy>> Drop for Pass<H> {
    #[inline]
    fn drop(&mut self) {
        self.settle_dropped();
        self.give_back();
    }
}

/// Gives the permit back and settles as a failure when a running call panics. An executor may catch the panic and drop the
/// future only later, when the thread is not unwinding any more.
pub(super) struct PassGuard<'a, H: Borrow<Policy>>(Option<&'a mut Pass<H>>);

impl<'a, H: Borrow<Policy>> PassGuard<'a, H> {
    #[inline]
    pub(super) fn new(pass: &'a mut Pass<H>) -> PassGuard<'a, H> {
        PassGuard(Some(pass))
    }

    #[inline]
    pub(super) fn pass(&mut self) -> Option<&mut Pass<H>> {
        self.0.as_deref_mut()
    }

    /// There was no panic.
    #[inline]
    pub(super) fn disarm(mut self) {
        self.0 = None;
    }
}

impl<H: Borrow<Policy>> Drop for PassGuard<'_, H> {
    #[inline]
    fn drop(&mut self) {
        if let Some(pass) = self.0.take() {
            pass.give_back();
            pass.settle(Verdict::Failure);
        }
    }
}
