//! What a circuit breaker makes of calls that go on in their response bodies.

use std::time::Duration;

use super::shared::{Shared, changes_something, verdict_by};
use super::ticket::Ticket;
use crate::admission::HeldFlag;
use crate::context;
use crate::machine::circuit_breaker::settings::OnDrop;
use crate::machine::timestamp::Timestamp;
use crate::machine::verdict::Verdict;
use crate::observe::event::CircuitBreakerEvent;
use crate::rt::time;

impl Shared {
    /// Settles a call whose response head was there at `head`. Whether it was slow is measured until then, or until
    /// now.
    pub(crate) fn settle_body(&self, ticket: &Ticket, mut verdict: Verdict, head: Timestamp, slow_to_end: bool) {
        let word = self.word();
        if verdict == Verdict::Success && word.is_at_rest(ticket.generation) {
            return;
        }
        if verdict == Verdict::DeadlineExceeded {
            verdict = verdict_by(self.settings().on_deadline(), ticket);
        }
        let counts = changes_something(word, ticket, verdict);
        if ticket.started == Timestamp::NEVER {
            if counts {
                self.settle_counted(word, ticket, verdict, false, None);
            }
            return;
        }
        let hears = self.hears_calls();
        if !counts && !hears {
            return;
        }
        let now = time::now();
        let (elapsed, head) = (now.since(ticket.started), head.since(ticket.started));
        if counts {
            let slow = self.settings().is_slow(if slow_to_end { elapsed } else { head });
            self.settle_counted(word, ticket, verdict, slow, Some(now));
        }
        if hears {
            self.notify_settled(verdict, head, elapsed);
        }
    }

    /// What a call counts as whose body is dropped before it has ended.
    #[cold]
    pub(crate) fn verdict_on_body_drop(&self, rule: OnDrop, ticket: &Ticket, head: Timestamp) -> Verdict {
        if context::deadline_has_passed() {
            // The reader did not hang up: time was up.
            return Verdict::DeadlineExceeded;
        }
        // A call that was not timed when it started is timed from its head.
        let started = if ticket.is_timed() { ticket.started } else { head };
        verdict_by(rule, &Ticket { started, ..*ticket })
    }

    /// Counts a body that broke off after its call was settled as a failure of its own: it is no probe's, and nothing
    /// at all once the state has changed.
    #[cold]
    pub(crate) fn count_late_break(&self, ticket: &Ticket) {
        let record = Ticket { probe: 0, started: Timestamp::NEVER, held: HeldFlag::YES, ..*ticket };
        self.settle(&record, Verdict::Failure);
    }

    /// Reports a body that broke off after its call was settled.
    #[cold]
    pub(crate) fn notify_broke(&self, after: Duration, bytes: u64) {
        if self.hears_debug() {
            let (name, source) = (self.name(), self.about());
            self.notify_event(CircuitBreakerEvent::BodyBroke { name, source, after, bytes });
        }
    }
}
