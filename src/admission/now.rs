use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::call_state::{end, judge_head};
use super::classify::Classify;
use super::guard::UnwindGuard;
use super::{Admission, HeldFlag, HeldTicket, KeptCall};
use crate::error::{Rejected, StackError};
use crate::rt::panic::polled_again;

pin_project! {
    /// A call that is made in `call` or not at all, and holds nothing that others wait for: the response future of a
    /// pattern whose calls are never late. A [`CallState`](super::call_state::CallState) would do, but with the ways
    /// into it that such a call never takes, the compiler keeps the result in memory: 7 or 21 ns, with a leaked handle.
    #[project = NowCallProj]
    pub(crate) enum NowCall<A: Admission, F, C> {
        Rejected { rejected: Option<Rejected> },
        // The call is settled before its future is dropped, because dropping that may take a while.
        Admitted { held: HeldCall<A>, classifier: C, #[pin] inner: F },
    }
}

/// Settles the call as dropped if it has not ended.
pub(crate) struct HeldCall<A: Admission> {
    admission: A,
    ticket: A::Ticket,
}

impl<A: Admission, F, C> NowCall<A, F, C> {
    #[inline(always)]
    pub(crate) fn admitted(admission: A, ticket: A::Ticket, classifier: C, inner: F) -> Self {
        NowCall::Admitted { held: HeldCall { admission, ticket }, classifier, inner }
    }

    /// What an admitted call holds.
    pub(crate) fn ticket_mut(&mut self) -> Option<&mut A::Ticket> {
        match self {
            NowCall::Rejected { .. } => None,
            NowCall::Admitted { held, .. } => Some(&mut held.ticket),
        }
    }

    /// Like `poll`, but a call that has a response goes on in its body, unless its head was a failure: then `kept` has
    /// what is to be settled. Apart from `poll`, which would take nine instructions more if it were this one.
    pub(crate) fn poll_keeping<T, E>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        kept: &mut Option<KeptCall<A>>,
    ) -> Poll<Result<T, E>>
    where
        F: Future<Output = Result<T, E>>,
        C: Classify<T, E>,
        E: StackError,
    {
        match self.project() {
            NowCallProj::Rejected { rejected } => match rejected.take() {
                Some(rejected) => Poll::Ready(Err(rejected.into())),
                None => polled_again("`ResponseFuture`"),
            },
            NowCallProj::Admitted { held: HeldCall { admission, ticket }, classifier, inner } => {
                if !ticket.held().take() {
                    polled_again("`ResponseFuture`");
                }
                let guard = UnwindGuard(admission, ticket);
                let poll = inner.poll(cx);
                if let Poll::Ready(result @ Ok(_)) = &poll {
                    let head = judge_head(guard, classifier, result);
                    if head.is_some() {
                        *kept = Some(KeptCall { admission: admission.clone(), ticket: *ticket, head });
                    }
                    return poll;
                }
                guard.disarm();
                match &poll {
                    Poll::Ready(result) => end(admission, ticket, classifier, result),
                    Poll::Pending => *ticket.held() = HeldFlag::YES,
                }
                poll
            }
        }
    }
}

impl<A, F, C, T, E> Future for NowCall<A, F, C>
where
    A: Admission,
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    E: StackError,
{
    type Output = Result<T, E>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            NowCallProj::Rejected { rejected } => match rejected.take() {
                Some(rejected) => Poll::Ready(Err(rejected.into())),
                None => polled_again("`ResponseFuture`"),
            },
            NowCallProj::Admitted { held: HeldCall { admission, ticket }, classifier, inner } => {
                if !ticket.held().take() {
                    polled_again("`ResponseFuture`");
                }
                let guard = UnwindGuard(admission, ticket);
                let poll = inner.poll(cx);
                guard.disarm();
                match &poll {
                    Poll::Ready(result) => end(admission, ticket, classifier, result),
                    Poll::Pending => *ticket.held() = HeldFlag::YES,
                }
                poll
            }
        }
    }
}

impl<A: Admission> Drop for HeldCall<A> {
    #[inline]
    fn drop(&mut self) {
        if self.ticket.held().take() {
            self.admission.settle_dropped(&self.ticket);
        }
    }
}
