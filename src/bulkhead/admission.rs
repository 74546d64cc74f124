use std::task::{Context, Poll};
use std::time::Duration;

use super::acquire::{QueueRefusal, QueueState};
use super::handle::Bulkhead;
use crate::admission::{Admission, Admitted, HeldFlag, HeldTicket, Refused};
use crate::error::{DeadlineStage, Rejected};

/// A permit that is still to be released.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PermitTicket(HeldFlag);

impl HeldTicket for PermitTicket {
    #[inline(always)]
    fn held(&mut self) -> &mut HeldFlag {
        &mut self.0
    }
}

impl Admission for Bulkhead {
    type Scope = ();
    type Memo = ();
    type Seen = ();
    type Ticket = PermitTicket;
    /// How long the call waited in the queue, if it did.
    type Refusal = Option<Duration>;
    type Wait = ();
    type Waiting = QueueState;
    type Limit = ();

    const SETTLES: bool = false;

    #[inline(always)]
    fn peek(&self, (): (), (): &mut (), _: &mut Context<'_>) -> Poll<Option<()>> {
        Poll::Ready(self.shared().has_room().then_some(()))
    }

    #[inline(always)]
    fn admit(&self, (): (), (): &mut ()) -> Admitted<Self> {
        match self.shared().try_acquire() {
            Ok(()) => Ok(PermitTicket(HeldFlag::YES)),
            Err(permits) if self.shared().may_wait(permits) => Err(Refused::MayWait(())),
            Err(_) => Err(Refused::For(None)),
        }
    }

    fn poll_admit(&self, (): (), place: &mut QueueState, cx: &mut Context<'_>) -> Poll<Admitted<Self>> {
        place.poll(self.shared(), cx).map(|answer| match answer {
            Ok(()) => Ok(PermitTicket(HeldFlag::YES)),
            Err(QueueRefusal::Full(waited)) => Err(Refused::For(waited)),
            Err(QueueRefusal::DeadlineExceeded(stage)) => Err(Refused::TooLate(stage)),
        })
    }

    fn leave(&self, place: &mut QueueState) {
        place.give_up(self.shared());
    }

    #[inline(always)]
    fn release(&self, _: &PermitTicket) {
        self.shared().give_back();
    }

    #[inline(always)]
    fn limit(&self, (): ()) {}

    #[inline(always)]
    fn rejection(&self, _: &Option<Duration>) -> Rejected {
        self.shared().rejection()
    }

    #[inline(always)]
    fn rejected(&self, waited: Option<Duration>) {
        self.shared().rejected(waited);
    }

    #[cold]
    fn deadline_exceeded(&self, stage: DeadlineStage) -> Rejected {
        self.shared().deadline_exceeded(stage);
        Rejected::DeadlineExceeded { stage }
    }
}
