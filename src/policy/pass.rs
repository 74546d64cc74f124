use std::borrow::Borrow;

use super::class::Class;
use super::handle::Policy;
use crate::bulkhead::{HeldPermit, Permit};
use crate::circuit_breaker::Ticket;
use crate::error::Rejected;
use crate::machine::verdict::Verdict;

/// What a call has acquired on its way through a policy. Dropping it settles the call as the circuit breaker's
/// `on_drop` says and releases the permit.
///
/// It holds one handle to the policy for all parts, rather than one for each.
#[derive(Debug)]
pub(super) struct Pass<H: Borrow<Policy>> {
    policy: H,
    taken: PassContents,
}

/// A ticket, a permit, both or neither.
#[derive(Debug)]
pub(super) struct PassContents {
    ticket: Ticket,
    /// Whether the circuit breaker still has to be told how the call went.
    admitted: bool,
    permit: bool,
}

const NOTHING: PassContents = PassContents { ticket: Ticket::NONE, admitted: false, permit: false };

impl<H: Borrow<Policy>> Pass<H> {
    /// A pass that holds nothing.
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

    /// The caller has acquired a permit.
    #[inline]
    pub(super) fn set_permit(&mut self) {
        self.taken.permit = true;
    }

    /// Hands the permit over, with a handle of its own, if there is one.
    pub(super) fn hand_out_permit(&mut self) -> Option<Permit> {
        if !std::mem::take(&mut self.taken.permit) {
            return None;
        }
        self.policy().bulkhead().map(|bulkhead| Permit::new(HeldPermit::new(bulkhead.clone())))
    }

    /// Asks the circuit breaker, if the class passes through one.
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

    /// Returns the circuit breaker's ticket, for a call that has to wait for its permit: it asks again once it has the
    /// permit, and until then does not keep another probe out.
    #[cold]
    pub(super) fn hand_back_ticket(&mut self) {
        if std::mem::take(&mut self.taken.admitted) {
            if let Some(circuit_breaker) = self.policy().circuit_breaker() {
                circuit_breaker.shared().take_back(&self.taken.ticket);
            }
        }
    }

    /// Releases the permit, if there is one.
    #[inline]
    pub(super) fn give_back(&mut self) {
        if std::mem::take(&mut self.taken.permit) {
            if let Some(bulkhead) = self.policy().bulkhead() {
                bulkhead.shared().give_back();
            }
        }
    }

    /// Tells the circuit breaker how the call went, once.
    #[inline]
    pub(super) fn settle(&mut self, verdict: Verdict) {
        if std::mem::take(&mut self.taken.admitted) {
            if let Some(circuit_breaker) = self.policy().circuit_breaker() {
                circuit_breaker.shared().settle(&self.taken.ticket, verdict);
            }
        }
    }

    /// Tells the circuit breaker that the call is being dropped, if it has not ended.
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
    /// Holds this for another attempt. It held nothing before.
    pub(super) fn put(&mut self, taken: PassContents) {
        self.taken = taken;
    }
}

impl<'a> Pass<&'a Policy> {
    #[inline]
    pub(super) fn policy_ref(&self) -> &'a Policy {
        self.policy
    }

    /// The same, with its own handle.
    #[inline]
    pub(super) fn into_owned(mut self) -> Pass<Policy> {
        Pass { policy: self.policy.clone(), taken: std::mem::replace(&mut self.taken, NOTHING) }
    }

    /// What was acquired, for another pass under the same policy to hold.
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

/// Releases the permit and settles the call as a failure if it panics while running. An executor may catch the panic
/// and drop the future only later, when the thread is no longer unwinding.
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
