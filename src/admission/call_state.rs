use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::classify::{Classify, judge};
use super::guard::{JudgeGuard, ReleaseGuard, UnwindGuard};
use super::late::{Late, LateEnd, PollLate};
use super::{Admission, HeldFlag, HeldTicket};
use crate::error::{Rejected, StackError, StoredRejection};
use crate::machine::verdict::Verdict;
use crate::rt::panic::polled_again;
use crate::rt::time::TimeUp;

pin_project! {
    /// One call on its way. Whoever owns it has the handle, and calls [`abandon`](CallState::abandon) if it is dropped
    /// before it has ended.
    #[project = CallStateProj]
    pub(crate) enum CallState<A: Admission, F, L> {
        Running { ticket: A::Ticket, limit: A::Limit, #[pin] inner: F },
        Late { late: L },
        // Without one, it has ended.
        Rejected { rejected: StoredRejection },
    }
}

impl<A: Admission, F, L: Late<A>> CallState<A, F, L> {
    pub(crate) const OVER: Self = CallState::Rejected { rejected: StoredRejection::TAKEN };

    #[inline(always)]
    pub(crate) fn rejected(rejected: Rejected) -> Self {
        CallState::Rejected { rejected: rejected.into() }
    }

    #[inline(always)]
    pub(crate) fn is_rejected(&self) -> bool {
        matches!(self, CallState::Rejected { .. })
    }

    /// What a call holds that runs, or has ended and kept it.
    #[inline(always)]
    pub(crate) fn ticket(&self) -> Option<A::Ticket> {
        match self {
            CallState::Running { ticket, .. } => Some(*ticket),
            CallState::Late { .. } | CallState::Rejected { .. } => None,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            CallState::Running { .. } => "running",
            CallState::Late { .. } => "waiting",
            CallState::Rejected { .. } => "rejected",
        }
    }

    /// The rejection, for which no handle is needed.
    #[inline(always)]
    pub(crate) fn take_rejection(self: Pin<&mut Self>) -> Rejected {
        let taken = match self.project() {
            CallStateProj::Rejected { rejected } => rejected.take(),
            CallStateProj::Running { .. } | CallStateProj::Late { .. } => None,
        };
        match taken {
            Some(rejected) => rejected,
            None => polled_again("`ResponseFuture`"),
        }
    }

    /// Whether it has anything to give up.
    #[inline(always)]
    pub(crate) fn is_under_way(self: Pin<&mut Self>) -> bool {
        match self.project() {
            CallStateProj::Running { ticket, .. } => ticket.held().is(),
            CallStateProj::Late { .. } => true,
            CallStateProj::Rejected { .. } => false,
        }
    }

    /// Gives up the call, unless it has ended: it is settled, its future is dropped, and what it holds is released.
    #[inline(always)]
    pub(crate) fn abandon(mut self: Pin<&mut Self>, admission: &A) {
        if self.as_mut().is_under_way() {
            self.abandon_held(admission);
        }
    }

    #[cold]
    fn abandon_held(mut self: Pin<&mut Self>, admission: &A) {
        let ticket = match self.as_mut().project() {
            CallStateProj::Running { ticket, .. } => ticket,
            CallStateProj::Late { late } => return late.abandon(admission),
            CallStateProj::Rejected { .. } => return,
        };
        if !ticket.held().take() {
            return;
        }
        let ticket = *ticket;
        admission.settle_dropped(&ticket);
        let _after = ReleaseGuard(admission, ticket);
        self.set(CallState::OVER);
    }

    /// Ready with the result, once the call was released and settled.
    ///
    /// Judges the result in place: moving it would cost more than everything else here.
    #[inline(always)]
    pub(crate) fn poll<C, T, E>(
        self: Pin<&mut Self>,
        admission: &A,
        classifier: &C,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, E>>
    where
        F: Future<Output = Result<T, E>>,
        L: PollLate<A, F, E>,
        C: Classify<T, E>,
        E: StackError,
    {
        self.poll_until::<false, _, _, _>(admission, classifier, cx, &mut None)
    }

    /// Like [`poll`](Self::poll), but with `KEEPS` a call that has a response goes on in its body: its owner releases
    /// it, with its ticket, and settles it if `head` then has a verdict.
    #[inline(always)]
    pub(crate) fn poll_until<const KEEPS: bool, C, T, E>(
        mut self: Pin<&mut Self>,
        admission: &A,
        classifier: &C,
        cx: &mut Context<'_>,
        head: &mut Option<Verdict>,
    ) -> Poll<Result<T, E>>
    where
        F: Future<Output = Result<T, E>>,
        L: PollLate<A, F, E>,
        C: Classify<T, E>,
        E: StackError,
    {
        if !matches!(*self, CallState::Running { .. }) {
            if let Some(error) = ready!(self.as_mut().poll_start(admission, classifier, cx)) {
                return Poll::Ready(Err(error));
            }
        }
        let CallStateProj::Running { ticket, limit, inner } = self.as_mut().project() else {
            polled_again("`ResponseFuture`");
        };
        if !ticket.held().take() {
            polled_again("`ResponseFuture`");
        }
        let guard = UnwindGuard(admission, ticket);
        // The inner future comes first: a response that has arrived is never lost to the clock.
        let poll = inner.poll(cx);
        if let Poll::Ready(result) = &poll {
            if KEEPS && result.is_ok() {
                *head = judge_head(guard, classifier, result);
            } else {
                guard.disarm();
                end(admission, ticket, classifier, result);
            }
            return poll;
        }
        let timed_out = A::poll_limit(limit, cx);
        guard.disarm();
        let Poll::Ready(time_up) = timed_out else {
            *ticket.held() = HeldFlag::YES;
            return poll;
        };
        let ticket = *ticket;
        match self.give_up(admission, ticket, classifier, time_up) {
            Some(error) => Poll::Ready(Err(error)),
            None => poll,
        }
    }

    /// The call has had its time.
    #[cold]
    fn give_up<C, T, E>(
        mut self: Pin<&mut Self>,
        admission: &A,
        ticket: A::Ticket,
        classifier: &C,
        time_up: TimeUp,
    ) -> Option<E>
    where
        F: Future<Output = Result<T, E>>,
        C: Classify<T, E>,
        E: StackError,
    {
        let guard = UnwindGuard(admission, &ticket);
        self.set(CallState::OVER);
        let error = admission.timed_out(time_up).into();
        guard.disarm();
        end_in_error(admission, &ticket, classifier, error)
    }

    /// Goes on with a call that is not running: ready with nothing once it is, or with the error that prevented it.
    /// What a call gets is not returned through here, as a result that a cold function writes costs the hot ones more.
    #[cold]
    fn poll_start<C, T, E>(
        mut self: Pin<&mut Self>,
        admission: &A,
        classifier: &C,
        cx: &mut Context<'_>,
    ) -> Poll<Option<E>>
    where
        L: PollLate<A, F, E>,
        C: Classify<T, E>,
        E: StackError,
    {
        let CallStateProj::Late { late } = self.as_mut().project() else {
            return Poll::Ready(Some(self.take_rejection().into()));
        };
        let error = match ready!(late.poll(admission, cx)) {
            LateEnd::Called { ticket, limit, inner } => {
                self.set(CallState::Running { ticket, limit, inner });
                return Poll::Ready(None);
            }
            LateEnd::Refused(rejected) => rejected.into(),
            LateEnd::Failed { ticket, error } => {
                let error = end_in_error::<A, C, T, E>(admission, &ticket, classifier, error);
                self.set(CallState::OVER);
                return Poll::Ready(error);
            }
        };
        self.set(CallState::OVER);
        Poll::Ready(Some(error))
    }
}

/// The end of a call.
#[inline(always)]
pub(super) fn end<A, C, T, E>(admission: &A, ticket: &A::Ticket, classifier: &C, result: &Result<T, E>)
where
    A: Admission,
    C: Classify<T, E>,
    E: StackError,
{
    admission.release(ticket);
    if A::SETTLES {
        let guard = JudgeGuard(admission, ticket);
        let verdict = judge(classifier, result);
        guard.disarm();
        admission.settle(ticket, verdict);
    }
}

/// Judges the head of a response whose call goes on in the body. A failure is settled at once, because no body makes up
/// for it; otherwise returns what the head said.
#[inline]
pub(super) fn judge_head<A, C, T, E>(
    guard: UnwindGuard<'_, A>,
    classifier: &C,
    result: &Result<T, E>,
) -> Option<Verdict>
where
    A: Admission,
    C: Classify<T, E>,
    E: StackError,
{
    let UnwindGuard(admission, ticket) = guard;
    let verdict = if A::SETTLES { Some(judge(classifier, result)) } else { None };
    guard.disarm();
    match verdict {
        Some(Verdict::Success | Verdict::Ignored) | None => verdict,
        Some(verdict) => {
            admission.settle(ticket, verdict);
            None
        }
    }
}

/// The end of a call with an error, which is returned.
fn end_in_error<A, C, T, E>(admission: &A, ticket: &A::Ticket, classifier: &C, error: E) -> Option<E>
where
    A: Admission,
    C: Classify<T, E>,
    E: StackError,
{
    let result = Err(error);
    end(admission, ticket, classifier, &result);
    result.err()
}
