use std::convert::Infallible;
use std::task::{Context, Poll, ready};

use super::handle::CircuitBreaker;
use super::ticket::{Refusal, Ticket};
use super::waiting::WaitUntilAdmitted;
use crate::admission::{Admission, Admitted, Refused};
use crate::context;
use crate::error::{DeadlineStage, Rejected};
use crate::machine::timestamp::Timestamp;
use crate::machine::verdict::Verdict;

/// What `poll_ready` does while calls do not pass, and how far it has got.
#[derive(Debug)]
pub(crate) enum ReadyMode {
    /// It is ready, and this is what the next call will get.
    Reject(Option<Refusal>),
    /// It is pending, and this is its place in the queue of waiters.
    Wait(Option<Box<WaitUntilAdmitted>>),
}

impl Default for ReadyMode {
    #[inline]
    fn default() -> ReadyMode {
        ReadyMode::Reject(None)
    }
}

impl ReadyMode {
    pub(super) fn new(waits: bool) -> ReadyMode {
        if waits { ReadyMode::Wait(None) } else { ReadyMode::Reject(None) }
    }

    /// The same mode, at its beginning.
    pub(super) fn anew(&self) -> ReadyMode {
        ReadyMode::new(matches!(self, ReadyMode::Wait(_)))
    }
}

impl Admission for CircuitBreaker {
    type Scope = ();
    type Memo = ReadyMode;
    /// The generation.
    type Seen = u64;
    type Ticket = Ticket;
    type Refusal = Refusal;
    type Wait = Infallible;
    type Waiting = ();
    type Limit = ();

    const SETTLES: bool = true;

    #[inline(always)]
    fn peek(&self, (): (), mode: &mut ReadyMode, cx: &mut Context<'_>) -> Poll<Option<u64>> {
        match (self.shared().passes(), &mut *mode) {
            (Some(word), ReadyMode::Reject(refusal)) => {
                *refusal = None;
                Poll::Ready(Some(word.generation()))
            }
            (Some(word), ReadyMode::Wait(None)) => Poll::Ready(Some(word.generation())),
            _ => self.peek_closely(mode, cx),
        }
    }

    fn ready_failed(&self, generation: u64) {
        self.shared().ready_failed(generation);
    }

    #[inline(always)]
    fn pass(&self, (): (), mode: &ReadyMode) -> Option<Ticket> {
        match mode {
            ReadyMode::Reject(Some(_)) => None,
            ReadyMode::Reject(None) | ReadyMode::Wait(_) => self.shared().passes().map(Ticket::new),
        }
    }

    #[inline]
    fn admit(&self, (): (), mode: &mut ReadyMode) -> Admitted<Self> {
        let refusal = match mode {
            ReadyMode::Reject(refusal) => refusal.take(),
            ReadyMode::Wait(_) => None,
        };
        refusal.map_or_else(|| self.shared().admit_if_open(), Err).map_err(Refused::For)
    }

    #[inline(always)]
    fn settle(&self, ticket: &Ticket, verdict: Verdict) {
        self.shared().settle(ticket, verdict);
    }

    fn settle_dropped(&self, ticket: &Ticket) {
        let verdict = match context::deadline_has_passed() {
            // The caller did not hang up: time was up.
            true => Verdict::DeadlineExceeded,
            false => self.shared().verdict_on_drop(ticket),
        };
        self.shared().settle(ticket, verdict);
    }

    fn started(&self, ticket: &mut Ticket, now: Timestamp) {
        ticket.start(now);
    }

    #[cold]
    fn deadline_exceeded(&self, stage: DeadlineStage) -> Rejected {
        self.shared().deadline_exceeded(stage);
        Rejected::DeadlineExceeded { stage }
    }

    #[inline(always)]
    fn limit(&self, (): ()) {}

    #[inline(always)]
    fn rejection(&self, refusal: &Refusal) -> Rejected {
        Rejected::CircuitOpen { name: self.name().clone(), retry_after: (*refusal).into() }
    }

    #[inline(always)]
    fn rejected(&self, refusal: Refusal) {
        self.shared().rejected(refusal);
    }
}

impl CircuitBreaker {
    /// For when not every call passes, or the caller is waiting. A refusal is remembered for the call that follows.
    #[cold]
    fn peek_closely(&self, mode: &mut ReadyMode, cx: &mut Context<'_>) -> Poll<Option<u64>> {
        loop {
            let passage = self.shared().peek();
            match (&mut *mode, passage) {
                (ReadyMode::Wait(waiting), Err(_)) => {
                    let waiting = waiting.get_or_insert_with(|| Box::new(WaitUntilAdmitted::new(self.clone())));
                    ready!(waiting.poll(cx));
                }
                (ReadyMode::Reject(refusal), passage) => {
                    *refusal = passage.err();
                    return Poll::Ready(passage.ok());
                }
                (ReadyMode::Wait(waiting), Ok(generation)) => {
                    *waiting = None;
                    return Poll::Ready(Some(generation));
                }
            }
        }
    }
}
