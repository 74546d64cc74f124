//! The one engine under every pattern that stands between a caller and a service: it lets a call pass with a ticket, or
//! refuses it.
//!
//! ```text
//!   poll_ready ──▶ peek ─┬─ may pass ──▶ the inner service's poll_ready
//!                        └─ would not ─▶ ready, without the inner service
//!
//!   call ──▶ admit ─┬─ ticket ────▶ inner ──▶ released ──▶ judged ──▶ settled ──▶ result
//!                   ├─ may wait ──▶ queue ──▶ ticket ──▶ a clone of the service, once it is ready ──▶ inner …
//!                   └─ refused ───▶ counted ──▶ the rejection
//! ```
//!
//! A pattern is an [`Admission`], and its service, its future and what it gives to bodies are built from these parts:
//!
//! | part | what it does |
//! |---|---|
//! | [`gate`] | `poll_ready` and `call` |
//! | [`call_state`] | one call on its way, without a handle: a retry keeps one handle for all attempts |
//! | [`call`] | that with its handle and classifier: a response future |
//! | [`now`] | a call that is made at once or not at all: the response future of the circuit breaker |
//! | [`late`] | a call that waits in a queue, or for a clone of the service to be ready |
//! | [`run`] | a call around a future, which borrows the handle |
//!
//! What was taken is given back exactly once, in this order:
//!
//! | the call | |
//! |---|---|
//! | ends | released, judged, settled; the inner future is dropped later, with the response future |
//! | panics | released, settled as a failure, at once: an executor may drop the future much later |
//! | is dropped | settled as dropped, because dropping the inner future may take a while; that is dropped; released |
//! | goes on in a response body | judged; a failure is settled; all else is [`KeptCall`] for the body |

pub(crate) mod call;
pub(crate) mod call_state;
pub(crate) mod classify;
pub(crate) mod gate;
pub(crate) mod guard;
pub(crate) mod late;
pub(crate) mod now;
pub(crate) mod run;

use std::task::{Context, Poll};

use crate::context;
use crate::error::{DeadlineStage, Rejected};
use crate::machine::timestamp::Timestamp;
use crate::machine::verdict::Verdict;
use crate::rt::time::TimeUp;

/// Lets calls pass, or refuses them. Implemented by handles, whose clones share their state.
pub(crate) trait Admission: Clone {
    /// What of a request matters here: its class, whether it is exempt, or nothing.
    type Scope: Copy;
    /// What `poll_ready` leaves for the call that follows.
    type Memo: Default;
    /// Under what the inner service was asked whether it is ready.
    type Seen: Copy;
    /// What an admitted call holds, as a plain value: who has it gives it back.
    type Ticket: HeldTicket;
    type Refusal;
    /// Uninhabited where no call ever waits.
    type Wait;
    /// A place in a queue, or none.
    type Waiting: Default;
    /// A time limit on the inner future, or nothing.
    type Limit;

    /// Whether it wants to know how a call went.
    const SETTLES: bool;

    /// Whether a call would pass, taking nothing. If so, the inner service is asked next; if not, the service is ready
    /// without it. Pending, if the caller is to wait for that.
    fn peek(&self, scope: Self::Scope, memo: &mut Self::Memo, cx: &mut Context<'_>) -> Poll<Option<Self::Seen>>;

    /// Whether a call whose deadline has passed is refused.
    const CONSULTS_DEADLINE: bool = true;

    /// Whether a call that is polled to be kept goes on in its response body.
    #[inline(always)]
    fn keeps(&self) -> bool {
        true
    }

    /// The inner service's `poll_ready` failed.
    fn ready_failed(&self, _seen: Self::Seen) {}

    /// Lets a call pass where that takes a glance; if not, [`admit`](Self::admit) decides.
    #[inline(always)]
    fn pass(&self, _scope: Self::Scope, _memo: &Self::Memo) -> Option<Self::Ticket> {
        None
    }

    /// Asked through [`admit`].
    fn admit(&self, scope: Self::Scope, memo: &mut Self::Memo) -> Admitted<Self>;

    /// A call that has a deadline got its ticket at this time.
    fn started(&self, _ticket: &mut Self::Ticket, _now: Timestamp) {}

    /// Takes a ticket, or waits for one in a place that was empty before.
    fn poll_admit(
        &self,
        scope: Self::Scope,
        _place: &mut Self::Waiting,
        _cx: &mut Context<'_>,
    ) -> Poll<Admitted<Self>> {
        match self.admit(scope, &mut Self::Memo::default()) {
            Err(Refused::MayWait(_)) => Poll::Pending,
            answer => Poll::Ready(answer),
        }
    }

    /// Gives up a place, or what was granted to it in the meantime.
    fn leave(&self, _place: &mut Self::Waiting) {}

    /// The call went like this.
    fn settle(&self, _ticket: &Self::Ticket, _verdict: Verdict) {}

    /// The call is being dropped before its end.
    fn settle_dropped(&self, _ticket: &Self::Ticket) {}

    /// The call is over.
    fn release(&self, _ticket: &Self::Ticket) {}

    /// The limit of a call that starts now.
    fn limit(&self, scope: Self::Scope) -> Self::Limit;

    /// Ready once the inner future, which is pending, has had its time.
    fn poll_limit(_limit: &mut Self::Limit, _cx: &mut Context<'_>) -> Poll<TimeUp> {
        Poll::Pending
    }

    /// Reports that a call was given up.
    fn timed_out(&self, time_up: TimeUp) -> Rejected {
        match time_up {
            TimeUp::Limit(after) => Rejected::TimedOut { after: after.into(), timeout: None },
            TimeUp::Deadline => self.deadline_exceeded(DeadlineStage::Attempt),
        }
    }

    /// Reports that the current deadline has passed.
    fn deadline_exceeded(&self, stage: DeadlineStage) -> Rejected {
        Rejected::DeadlineExceeded { stage }
    }

    /// What the caller gets for a refusal, which is not counted by this.
    fn rejection(&self, refusal: &Self::Refusal) -> Rejected;

    /// Counts and reports a refusal.
    fn rejected(&self, refusal: Self::Refusal);

    /// Both.
    #[inline(always)]
    fn reject(&self, refusal: Self::Refusal) -> Rejected {
        let rejection = self.rejection(&refusal);
        self.rejected(refusal);
        rejection
    }
}

/// A call that has a response and goes on in its body.
pub(crate) struct KeptCall<A: Admission> {
    pub(crate) admission: A,
    pub(crate) ticket: A::Ticket,
    /// What the head said, or none if it is settled.
    pub(crate) head: Option<Verdict>,
}

/// What an admitted call holds. Being plain, it has to know whether it is still to be given back.
pub(crate) trait HeldTicket: Copy + Default {
    /// True from the day it is made until it is given back, but for the time in which the call is polled: then whoever
    /// polls it gives it back, even in a panic.
    fn held(&mut self) -> &mut HeldFlag;
}

/// Whether a ticket is still to be given back. Not a `bool`: the unused values of one would be taken for the tags of
/// what is around it, and each glance at a tag would cost more.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HeldFlag(u8);

impl HeldFlag {
    pub(crate) const YES: HeldFlag = HeldFlag(1);

    /// Still to be given back, with something to remember until then: a number above zero.
    pub(crate) const fn noting(note: u8) -> HeldFlag {
        HeldFlag(note)
    }

    pub(crate) const fn note(self) -> u8 {
        self.0
    }

    #[inline(always)]
    pub(crate) fn is(self) -> bool {
        self.0 != 0
    }

    /// Whether it is; whoever asks is the one who gives it back.
    #[inline(always)]
    pub(crate) fn take(&mut self) -> bool {
        std::mem::take(&mut self.0) != 0
    }
}

/// The answer to a call.
pub(crate) type Admitted<A> = Result<<A as Admission>::Ticket, Refused<A>>;

/// Why a call does not pass now.
pub(crate) enum Refused<A: Admission> {
    For(A::Refusal),
    /// It may wait in the queue.
    MayWait(A::Wait),
    /// Its deadline has passed. That counts as nothing.
    TooLate(DeadlineStage),
}

/// Lets a call pass, or refuses it.
#[inline(always)]
pub(crate) fn admit<A: Admission>(admission: &A, scope: A::Scope, memo: &mut A::Memo) -> Admitted<A> {
    if A::CONSULTS_DEADLINE && context::has_deadline() {
        if A::SETTLES {
            return admit_in_time(admission, scope, memo);
        }
        // When it starts matters to nobody.
        if context::deadline_has_passed() {
            return Err(Refused::TooLate(DeadlineStage::Arrival));
        }
    }
    match admission.pass(scope, memo) {
        Some(ticket) => Ok(ticket),
        None => admission.admit(scope, memo),
    }
}

#[cold]
#[inline(never)]
fn admit_in_time<A: Admission>(admission: &A, scope: A::Scope, memo: &mut A::Memo) -> Admitted<A> {
    let check = context::check_deadline();
    if check.is_some_and(|check| check.has_passed) {
        return Err(Refused::TooLate(DeadlineStage::Arrival));
    }
    let mut ticket = admission.admit(scope, memo)?;
    if let Some(check) = check {
        admission.started(&mut ticket, check.now);
    }
    Ok(ticket)
}
