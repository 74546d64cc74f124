use std::convert::Infallible;
use std::task::{Context, Poll, ready};

use tower_service::Service;

use super::guard::{self, ReleaseGuard, UnwindGuard};
use super::{Admission, Refused};
use crate::context;
use crate::error::{DeadlineStage, Rejected};
use crate::machine::verdict::Verdict;
use crate::rt::panic::polled_again;
use crate::rt::time::Alarm;

/// How a call goes on that could not be made in `call`.
pub(crate) trait Late<A: Admission> {
    /// Gives up whatever it holds.
    fn abandon(&mut self, admission: &A);
}

/// A [`Late`] that comes to a future.
pub(crate) trait PollLate<A: Admission, F, E>: Late<A> {
    fn poll(&mut self, admission: &A, cx: &mut Context<'_>) -> Poll<LateEnd<A, F, E>>;
}

/// What became of a late call.
pub(crate) enum LateEnd<A: Admission, F, E> {
    Called {
        ticket: A::Ticket,
        limit: A::Limit,
        inner: F,
    },
    Refused(Rejected),
    /// The service did not become ready.
    Failed {
        ticket: A::Ticket,
        error: E,
    },
}

/// Where every call is made in `call`, because its service need not be `Clone`.
impl<A: Admission> Late<A> for Infallible {
    fn abandon(&mut self, _: &A) {
        match *self {}
    }
}

impl<A: Admission, F, E> PollLate<A, F, E> for Infallible {
    fn poll(&mut self, _: &A, _: &mut Context<'_>) -> Poll<LateEnd<A, F, E>> {
        match *self {}
    }
}

/// A call with a clone of the service: it waits for its ticket, then for the service to be ready.
pub(crate) struct LateCall<A: Admission, S, Request> {
    state: LateState<A>,
    scope: A::Scope,
    service: S,
    request: Option<Request>,
    /// Goes off at the deadline, if there is one, while the service is not ready.
    alarm: Alarm,
}

enum LateState<A: Admission> {
    Queued(A::Waiting),
    Admitted(A::Ticket),
    /// It is over, or is being polled: a panic gives back what it has at once.
    Left,
}

impl<A: Admission, S, Request> LateCall<A, S, Request> {
    /// For a call that may wait for its ticket.
    #[cold]
    pub(super) fn queued(scope: A::Scope, service: S, request: Request) -> Box<Self> {
        LateCall::boxed(LateState::Queued(A::Waiting::default()), scope, service, request)
    }

    /// For a call that has its ticket.
    #[cold]
    pub(super) fn admitted(ticket: A::Ticket, scope: A::Scope, service: S, request: Request) -> Box<Self> {
        LateCall::boxed(LateState::Admitted(ticket), scope, service, request)
    }

    fn boxed(state: LateState<A>, scope: A::Scope, service: S, request: Request) -> Box<Self> {
        Box::new(LateCall { state, scope, service, request: Some(request), alarm: Alarm::default() })
    }

    /// Gives up an admitted call whose deadline has passed: that the service was not called says nothing about it.
    fn run_out(&mut self, admission: &A, ticket: A::Ticket) {
        admission.settle(&ticket, Verdict::Ignored);
        let _after = ReleaseGuard(admission, ticket);
        self.request = None;
    }

    /// Ready once the deadline has passed. Asked while the service is not ready.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if context::deadline_has_passed() {
            return Poll::Ready(());
        }
        self.alarm.set_once(context::deadline());
        self.alarm.poll(cx)
    }
}

impl<A: Admission, S, Request> Late<A> for Box<LateCall<A, S, Request>> {
    fn abandon(&mut self, admission: &A) {
        match std::mem::replace(&mut self.state, LateState::Left) {
            LateState::Queued(mut place) => admission.leave(&mut place),
            LateState::Admitted(ticket) if A::CONSULTS_DEADLINE && context::deadline_has_passed() => {
                self.run_out(admission, ticket);
            }
            LateState::Admitted(ticket) => {
                admission.settle_dropped(&ticket);
                let _after = ReleaseGuard(admission, ticket);
                self.request = None;
            }
            LateState::Left => {}
        }
    }
}

impl<A, S, Request, F, E> PollLate<A, F, E> for Box<LateCall<A, S, Request>>
where
    A: Admission,
    S: Service<Request, Future = F, Error = E>,
{
    fn poll(&mut self, admission: &A, cx: &mut Context<'_>) -> Poll<LateEnd<A, F, E>> {
        let this = &mut **self;
        if let LateState::Queued(place) = &mut this.state {
            let answer = ready!(guard::poll_admit(admission, this.scope, place, cx));
            this.state = LateState::Left;
            let rejected = match answer {
                Ok(ticket) => {
                    this.state = LateState::Admitted(ticket);
                    None
                }
                Err(Refused::For(refusal)) => Some(admission.reject(refusal)),
                Err(Refused::TooLate(stage)) => Some(admission.deadline_exceeded(stage)),
                Err(Refused::MayWait(_)) => polled_again("`ResponseFuture`"),
            };
            if let Some(rejected) = rejected {
                this.request = None;
                return Poll::Ready(LateEnd::Refused(rejected));
            }
        }
        let LateState::Admitted(ticket) = std::mem::replace(&mut this.state, LateState::Left) else {
            polled_again("`ResponseFuture`");
        };
        let guard = UnwindGuard(admission, &ticket);
        let poll = this.service.poll_ready(cx);
        let is_too_late = A::CONSULTS_DEADLINE
            && context::has_deadline()
            && match &poll {
                Poll::Pending => this.poll_deadline(cx).is_ready(),
                // It need not wait, so it needs no timer.
                Poll::Ready(Ok(())) => context::deadline_has_passed(),
                Poll::Ready(Err(_)) => false,
            };
        if is_too_late {
            guard.disarm();
            this.run_out(admission, ticket);
            return Poll::Ready(LateEnd::Refused(admission.deadline_exceeded(DeadlineStage::Queue)));
        }
        let end = match poll {
            Poll::Pending => {
                this.state = LateState::Admitted(ticket);
                Poll::Pending
            }
            Poll::Ready(Err(error)) => Poll::Ready(LateEnd::Failed { ticket, error }),
            Poll::Ready(Ok(())) => match this.request.take() {
                Some(request) => {
                    let inner = this.service.call(request);
                    let limit = admission.limit(this.scope);
                    Poll::Ready(LateEnd::Called { ticket, limit, inner })
                }
                None => polled_again("`ResponseFuture`"),
            },
        };
        guard.disarm();
        end
    }
}
