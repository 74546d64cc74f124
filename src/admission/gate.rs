use std::borrow::Borrow;
use std::convert::Infallible;
use std::task::{Context, Poll, ready};

use tower_service::Service;

use super::call_state::CallState;
use super::guard::UnwindGuard;
use super::late::LateCall;
use super::now::NowCall;
use super::{Admission, Refused, admit};

/// What `poll_ready` leaves for the call that follows, for a service whose clones may be made ready late.
#[derive(Debug, Default)]
pub(crate) struct Readiness<M> {
    memo: M,
    /// Whether the inner service has been made ready and not called since.
    ready: bool,
}

impl<M: Default> Readiness<M> {
    /// For a service that was made ready.
    pub(crate) fn ready() -> Readiness<M> {
        Readiness { memo: M::default(), ready: true }
    }

    /// The caller may have used up the inner service's readiness.
    pub(crate) fn forget_readiness(&mut self) {
        self.ready = false;
    }

    /// Ready if the inner service is, or if it would not be called.
    #[inline(always)]
    pub(crate) fn poll_ready<A, S, Request>(
        &mut self,
        admission: &A,
        scope: A::Scope,
        service: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), S::Error>>
    where
        A: Admission<Memo = M>,
        S: Service<Request>,
    {
        let Some(seen) = ready!(admission.peek(scope, &mut self.memo, cx)) else { return Poll::Ready(Ok(())) };
        self.ready = false;
        let poll = poll_inner(admission, seen, service, cx);
        self.ready = matches!(poll, Poll::Ready(Ok(())));
        poll
    }

    /// Calls the inner service, or a clone of it once that is ready, if the call is let in. `finish` makes the future:
    /// it gets the handle and the classifier unless the call was refused.
    #[inline(always)]
    pub(crate) fn call<A, O, S, Request, C, Out>(
        &mut self,
        handle: O,
        scope: A::Scope,
        service: &mut S,
        request: Request,
        classifier: &C,
        finish: impl FnOnce(LateCallState<A, S, Request>, Option<(O, C)>) -> Out,
    ) -> Out
    where
        A: Admission<Memo = M>,
        O: Borrow<A>,
        S: Service<Request> + Clone,
        C: Clone,
    {
        let admission = handle.borrow();
        let late = match admit(admission, scope, &mut self.memo) {
            Ok(ticket) if self.ready => {
                self.ready = false;
                let guard = UnwindGuard(admission, &ticket);
                let inner = service.call(request);
                let classifier = classifier.clone();
                guard.disarm();
                let state = CallState::Running { ticket, limit: admission.limit(scope), inner };
                return finish(state, Some((handle, classifier)));
            }
            Err(Refused::For(refusal)) => return finish(CallState::rejected(admission.reject(refusal)), None),
            Err(Refused::TooLate(stage)) => {
                return finish(CallState::rejected(admission.deadline_exceeded(stage)), None);
            }
            Ok(ticket) => {
                let guard = UnwindGuard(admission, &ticket);
                let late = LateCall::admitted(ticket, scope, self.unready_clone(service), request);
                let classifier = classifier.clone();
                guard.disarm();
                (late, classifier)
            }
            Err(Refused::MayWait(_)) => {
                (LateCall::queued(scope, self.unready_clone(service), request), classifier.clone())
            }
        };
        let (late, classifier) = late;
        finish(CallState::Late { late }, Some((handle, classifier)))
    }

    /// A clone of the inner service that is not ready.
    #[cold]
    fn unready_clone<S: Clone>(&mut self, service: &mut S) -> S {
        // While its caller waits, it does not hold the readiness that was meant for it either.
        if std::mem::replace(&mut self.ready, false) {
            *service = service.clone();
        }
        service.clone()
    }
}

/// Like [`Readiness::poll_ready`], for a service that is never made ready late.
#[inline(always)]
pub(crate) fn poll_ready<A, S, Request>(
    admission: &A,
    scope: A::Scope,
    memo: &mut A::Memo,
    service: &mut S,
    cx: &mut Context<'_>,
) -> Poll<Result<(), S::Error>>
where
    A: Admission,
    S: Service<Request>,
{
    match ready!(admission.peek(scope, memo, cx)) {
        Some(seen) => poll_inner(admission, seen, service, cx),
        None => Poll::Ready(Ok(())),
    }
}

#[inline(always)]
fn poll_inner<A, S, Request>(
    admission: &A,
    seen: A::Seen,
    service: &mut S,
    cx: &mut Context<'_>,
) -> Poll<Result<(), S::Error>>
where
    A: Admission,
    S: Service<Request>,
{
    let poll = service.poll_ready(cx);
    if let Poll::Ready(Err(_)) = &poll {
        admission.ready_failed(seen);
    }
    poll
}

/// Like [`Readiness::call`], for a service that is never made ready late.
#[inline(always)]
pub(crate) fn call<A, O, S, Request, C>(
    handle: O,
    scope: A::Scope,
    memo: &mut A::Memo,
    service: &mut S,
    request: Request,
    classifier: &C,
    own: impl FnOnce(O) -> A,
) -> NowCall<A, S::Future, C>
where
    A: Admission<Wait = Infallible, Limit = ()>,
    O: Borrow<A>,
    S: Service<Request>,
    C: Clone,
{
    let admission = handle.borrow();
    match admit(admission, scope, memo) {
        Ok(ticket) => {
            let guard = UnwindGuard(admission, &ticket);
            let inner = service.call(request);
            let classifier = classifier.clone();
            guard.disarm();
            NowCall::admitted(own(handle), ticket, classifier, inner)
        }
        Err(Refused::For(refusal)) => {
            let call = NowCall::Rejected { rejected: Some(admission.rejection(&refusal)) };
            admission.rejected(refusal);
            call
        }
        Err(Refused::TooLate(stage)) => NowCall::Rejected { rejected: Some(admission.deadline_exceeded(stage)) },
        Err(Refused::MayWait(never)) => match never {},
    }
}

/// A state of a call that may be late.
pub(crate) type LateCallState<A, S, Request> =
    CallState<A, <S as Service<Request>>::Future, Box<LateCall<A, S, Request>>>;
