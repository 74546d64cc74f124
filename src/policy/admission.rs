use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::class::Class;
use super::handle::Policy;
use crate::admission::{Admission, Admitted, HeldFlag, HeldTicket, Refused};
use crate::bulkhead::{Permit, QueueRefusal, QueueState};
use crate::circuit_breaker::{self, Refusal};
use crate::error::{DeadlineStage, Rejected, RetryAfter};
use crate::machine::timestamp::Timestamp;
use crate::machine::verdict::Verdict;
use crate::rt::time::TimeUp;
use crate::timeout::Clock;

/// What a call has acquired: a ticket of the circuit breaker, a permit of the bulkhead, both or neither.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PolicyTicket {
    ticket: circuit_breaker::Ticket,
    permit: bool,
    held: HeldFlag,
}

impl HeldTicket for PolicyTicket {
    #[inline(always)]
    fn held(&mut self) -> &mut HeldFlag {
        &mut self.held
    }
}

impl PolicyTicket {
    /// The circuit breaker's ticket, if one let the call pass.
    #[inline]
    pub(crate) fn circuit(&self) -> Option<&circuit_breaker::Ticket> {
        self.ticket.is_held().then_some(&self.ticket)
    }

    pub(crate) fn has_permit(&self) -> bool {
        self.permit
    }

    /// Hands the permit over, with a handle of its own, if there is one.
    pub(super) fn hand_out_permit(&mut self, policy: &Policy) -> Option<Permit> {
        if !std::mem::take(&mut self.permit) {
            return None;
        }
        policy.bulkhead().map(|bulkhead| Permit::new(bulkhead.clone()))
    }
}

/// Which part refused the call, and what the other had given to it: that is given back once the refusal is counted.
pub(crate) enum PolicyRefusal {
    CircuitBreaker(Refusal, PolicyTicket),
    Bulkhead(Option<Duration>, PolicyTicket),
}

/// The circuit breaker is asked first: while the backend is unhealthy, a call is rejected however full the bulkhead is.
impl Admission for Policy {
    type Scope = Class;
    /// What the circuit breaker will refuse the call that follows for.
    type Memo = Option<Refusal>;
    /// The circuit breaker's generation, if it was asked.
    type Seen = Option<u64>;
    type Ticket = PolicyTicket;
    type Refusal = PolicyRefusal;
    type Wait = ();
    type Waiting = QueueState;
    type Limit = Clock;

    const SETTLES: bool = true;

    #[inline(always)]
    fn peek(&self, class: Class, refusal: &mut Option<Refusal>, _: &mut Context<'_>) -> Poll<Option<Option<u64>>> {
        *refusal = None;
        let mut seen = None;
        if let Some(circuit_breaker) = self.circuit_breaker_for(class) {
            match circuit_breaker.shared().peek() {
                Ok(generation) => seen = Some(generation),
                Err(refused) => {
                    *refusal = Some(refused);
                    return Poll::Ready(None);
                }
            }
        }
        let has_room = self.bulkhead_for(class).is_none_or(|bulkhead| bulkhead.shared().has_room());
        Poll::Ready(has_room.then_some(seen))
    }

    #[inline(always)]
    fn keeps(&self) -> bool {
        self.body_scope().is_some()
    }

    fn started(&self, taken: &mut PolicyTicket, now: Timestamp) {
        taken.ticket.start(now);
    }

    fn ready_failed(&self, seen: Option<u64>) {
        if let (Some(circuit_breaker), Some(generation)) = (self.circuit_breaker(), seen) {
            circuit_breaker.shared().ready_failed(generation);
        }
    }

    #[inline(always)]
    fn admit(&self, class: Class, refusal: &mut Option<Refusal>) -> Admitted<Self> {
        let mut taken = PolicyTicket { held: HeldFlag::YES, ..PolicyTicket::default() };
        if let Some(circuit_breaker) = self.circuit_breaker_for(class) {
            match refusal.take().map_or_else(|| circuit_breaker.shared().admit(), Err) {
                Ok(ticket) => taken.ticket = ticket,
                Err(refused) => return Err(Refused::For(PolicyRefusal::CircuitBreaker(refused, taken))),
            }
        }
        if let Some(bulkhead) = self.bulkhead_for(class) {
            match bulkhead.shared().try_acquire() {
                Ok(()) => taken.permit = true,
                Err(permits) if bulkhead.shared().may_wait(permits) => {
                    self.take_back(&taken);
                    return Err(Refused::MayWait(()));
                }
                Err(_) => return Err(Refused::For(PolicyRefusal::Bulkhead(None, taken))),
            }
        }
        Ok(taken)
    }

    /// Waits for the permit alone, and asks the circuit breaker afresh once it has it: much may have happened
    /// meanwhile.
    fn poll_admit(&self, class: Class, place: &mut QueueState, cx: &mut Context<'_>) -> Poll<Admitted<Self>> {
        let mut taken = PolicyTicket { held: HeldFlag::YES, ..PolicyTicket::default() };
        if let Some(bulkhead) = self.bulkhead_for(class) {
            match ready!(place.poll(bulkhead.shared(), cx)) {
                Ok(()) => {}
                Err(QueueRefusal::Full(waited)) => {
                    return Poll::Ready(Err(Refused::For(PolicyRefusal::Bulkhead(waited, taken))));
                }
                Err(QueueRefusal::DeadlineExceeded(stage)) => return Poll::Ready(Err(Refused::TooLate(stage))),
            }
            taken.permit = true;
        }
        if let Some(circuit_breaker) = self.circuit_breaker_for(class) {
            match circuit_breaker.shared().admit() {
                Ok(ticket) => taken.ticket = ticket,
                Err(refused) => {
                    return Poll::Ready(Err(Refused::For(PolicyRefusal::CircuitBreaker(refused, taken))));
                }
            }
        }
        Poll::Ready(Ok(taken))
    }

    fn leave(&self, place: &mut QueueState) {
        if let Some(bulkhead) = self.bulkhead() {
            place.give_up(bulkhead.shared());
        }
    }

    #[inline(always)]
    fn settle(&self, taken: &PolicyTicket, verdict: Verdict) {
        if let (true, Some(circuit_breaker)) = (taken.ticket.is_held(), self.circuit_breaker()) {
            circuit_breaker.shared().settle(&taken.ticket, verdict);
        }
    }

    fn settle_dropped(&self, taken: &PolicyTicket) {
        if let (true, Some(circuit_breaker)) = (taken.ticket.is_held(), self.circuit_breaker()) {
            circuit_breaker.settle_dropped(&taken.ticket);
        }
    }

    #[inline(always)]
    fn release(&self, taken: &PolicyTicket) {
        if let (true, Some(bulkhead)) = (taken.permit, self.bulkhead()) {
            bulkhead.shared().give_back();
        }
    }

    #[inline(always)]
    fn limit(&self, class: Class) -> Clock {
        Clock::new(class.limit(self.timeout()))
    }

    #[inline(always)]
    fn poll_limit(clock: &mut Clock, cx: &mut Context<'_>) -> Poll<TimeUp> {
        clock.poll(cx)
    }

    fn timed_out(&self, time_up: TimeUp) -> Rejected {
        Policy::timed_out(self, time_up)
    }

    fn deadline_exceeded(&self, stage: DeadlineStage) -> Rejected {
        Policy::deadline_exceeded(self, stage)
    }

    #[inline(always)]
    fn rejection(&self, refusal: &PolicyRefusal) -> Rejected {
        match (refusal, self.circuit_breaker(), self.bulkhead()) {
            (PolicyRefusal::CircuitBreaker(refusal, _), Some(circuit_breaker), _) => circuit_breaker.rejection(refusal),
            (PolicyRefusal::Bulkhead(waited, _), _, Some(bulkhead)) => bulkhead.rejection(waited),
            // A part that does not exist refuses nothing.
            _ => Rejected::BulkheadFull { name: self.name().clone(), retry_after: RetryAfter::UNKNOWN },
        }
    }

    #[inline(always)]
    fn rejected(&self, refusal: PolicyRefusal) {
        match (refusal, self.circuit_breaker(), self.bulkhead()) {
            (PolicyRefusal::CircuitBreaker(refusal, taken), Some(circuit_breaker), _) => {
                circuit_breaker.rejected(refusal);
                self.release(&taken);
            }
            (PolicyRefusal::Bulkhead(waited, taken), _, Some(bulkhead)) => {
                bulkhead.rejected(waited);
                self.settle(&taken, Verdict::Ignored);
            }
            _ => {}
        }
    }
}

impl Policy {
    /// Returns the circuit breaker's ticket, for a call that has to wait for its permit: it asks again once it has the
    /// permit, and until then does not keep another probe out.
    #[cold]
    fn take_back(&self, taken: &PolicyTicket) {
        if let (true, Some(circuit_breaker)) = (taken.ticket.is_held(), self.circuit_breaker()) {
            circuit_breaker.shared().take_back(&taken.ticket);
        }
    }
}
