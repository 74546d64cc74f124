use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::call_state::end;
use super::classify::Classify;
use super::guard::{self, UnwindGuard};
use super::{Admission, Admitted, HeldFlag, HeldTicket, Refused, admit};
use crate::context;
use crate::error::{StackError, StoredRejection};
use crate::rt::panic::polled_again;

pin_project! {
    /// A future that runs if it is let in, which it asks for at its first poll. It borrows the handle.
    pub(crate) struct Run<'a, A, F, C>
    where
        A: Admission<Scope = ()>,
    {
        #[pin]
        inner: F,
        classifier: C,
        // Last, so that the call is released after the inner future was dropped.
        held: RunHeld<'a, A>,
    }

    impl<A, F, C> PinnedDrop for Run<'_, A, F, C>
    where
        A: Admission<Scope = ()>,
    {
        fn drop(this: Pin<&mut Self>) {
            // Before the inner future is dropped, because that may take a while.
            let held = this.project().held;
            if held.ticket.held().is() {
                held.admission.settle_dropped(&held.ticket);
            }
        }
    }
}

struct RunHeld<'a, A: Admission> {
    admission: &'a A,
    ticket: A::Ticket,
    place: A::Waiting,
    state: RunState,
}

#[derive(Clone, Copy)]
enum RunState {
    New,
    Queued,
    /// It has been let in, or refused: the ticket knows.
    Answered,
}

impl<'a, A: Admission<Scope = ()>, F, C> Run<'a, A, F, C> {
    #[inline]
    pub(crate) fn new(admission: &'a A, inner: F, classifier: C) -> Self {
        let held =
            RunHeld { admission, ticket: A::Ticket::default(), place: A::Waiting::default(), state: RunState::New };
        Run { inner, classifier, held }
    }
}

impl<A, F, C, T, E> Future for Run<'_, A, F, C>
where
    A: Admission<Scope = ()>,
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    E: StackError,
{
    type Output = Result<T, E>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(rejected) = ready!(this.held.poll_answer(cx)).and_then(|mut rejected| rejected.take()) {
            return Poll::Ready(Err(rejected.into()));
        }
        let RunHeld { admission, ticket, .. } = this.held;
        if !ticket.held().take() {
            polled_again("a call");
        }
        let guard = UnwindGuard(*admission, ticket);
        let poll = this.inner.poll(cx);
        guard.disarm();
        match &poll {
            Poll::Ready(result) => end(*admission, ticket, this.classifier, result),
            Poll::Pending => *ticket.held() = HeldFlag::YES,
        }
        poll
    }
}

impl<A: Admission<Scope = ()>> RunHeld<'_, A> {
    /// Ready once the call was let in, or with the rejection.
    #[inline(always)]
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Option<StoredRejection>> {
        match self.state {
            RunState::Answered => return Poll::Ready(None),
            RunState::Queued => return self.poll_queued(cx),
            RunState::New => {}
        }
        self.state = RunState::Answered;
        // Apart: a ticket that a cold function writes would be kept in memory for all.
        if A::CONSULTS_DEADLINE && context::has_deadline() {
            return self.poll_answer_in_time(cx);
        }
        let mut memo = A::Memo::default();
        if let Some(ticket) = self.admission.pass((), &memo) {
            self.ticket = ticket;
            return Poll::Ready(None);
        }
        let admitted = self.admission.admit((), &mut memo);
        self.take_answer(admitted, cx)
    }

    /// The same for a call that has a deadline.
    #[cold]
    fn poll_answer_in_time(&mut self, cx: &mut Context<'_>) -> Poll<Option<StoredRejection>> {
        let admitted = admit(self.admission, (), &mut A::Memo::default());
        self.take_answer(admitted, cx)
    }

    #[inline(always)]
    fn take_answer(&mut self, admitted: Admitted<A>, cx: &mut Context<'_>) -> Poll<Option<StoredRejection>> {
        match admitted {
            Ok(ticket) => {
                self.ticket = ticket;
                Poll::Ready(None)
            }
            Err(Refused::For(refusal)) => Poll::Ready(Some(self.admission.reject(refusal).into())),
            Err(Refused::TooLate(stage)) => Poll::Ready(Some(self.admission.deadline_exceeded(stage).into())),
            Err(Refused::MayWait(_)) => self.poll_queued(cx),
        }
    }

    #[cold]
    fn poll_queued(&mut self, cx: &mut Context<'_>) -> Poll<Option<StoredRejection>> {
        self.state = RunState::Answered;
        match guard::poll_admit(self.admission, (), &mut self.place, cx) {
            Poll::Ready(Ok(ticket)) => {
                self.ticket = ticket;
                Poll::Ready(None)
            }
            Poll::Ready(Err(Refused::For(refusal))) => Poll::Ready(Some(self.admission.reject(refusal).into())),
            Poll::Ready(Err(Refused::TooLate(stage))) => {
                Poll::Ready(Some(self.admission.deadline_exceeded(stage).into()))
            }
            Poll::Ready(Err(Refused::MayWait(_))) | Poll::Pending => {
                self.state = RunState::Queued;
                Poll::Pending
            }
        }
    }
}

impl<A: Admission> Drop for RunHeld<'_, A> {
    #[inline]
    fn drop(&mut self) {
        match self.state {
            RunState::Answered if self.ticket.held().is() => self.admission.release(&self.ticket),
            RunState::Queued => self.admission.leave(&mut self.place),
            RunState::New | RunState::Answered => {}
        }
    }
}
