use std::convert::Infallible;
use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::admission::PolicyTicket;
use super::class::Class;
use super::handle::Policy;
use super::kept::{EndsWithResponse, PollAttempt};
use super::run::PolicyCall;
use super::total::{EnteredRarely, TotalClock};
use crate::admission::call_state::CallState;
use crate::admission::classify::{Classify, ErrorClassifier};
use crate::admission::guard::{self, UnwindGuard};
use crate::admission::{Admission, Refused, admit};
use crate::bulkhead::{Permit, QueueState};
use crate::error::StackError;
use crate::machine::retry::attempts::Progress;
use crate::machine::timestamp::Timestamp;
use crate::retry::decide::RetryIf;
use crate::retry::{Pause, RetryErrors};

/// Makes the future of an attempt. Implemented by closures.
pub trait MakeAttempt<Takes> {
    /// The attempt.
    type Future;
    /// Whether the permit is for the attempt to release.
    const TAKES_PERMIT: bool;

    /// Starts an attempt.
    fn make(&mut self, permit: Option<Permit>) -> Self::Future;
}

/// Says that attempts are made without their permit, which the policy releases when they end.
#[derive(Debug)]
pub struct WithoutPermit(());

/// Says that attempts are passed their permit, to release it whenever they like.
#[derive(Debug)]
pub struct WithPermit(());

impl<F: FnMut() -> Fut, Fut> MakeAttempt<WithoutPermit> for F {
    type Future = Fut;
    const TAKES_PERMIT: bool = false;

    #[inline(always)]
    fn make(&mut self, _: Option<Permit>) -> Fut {
        self()
    }
}

impl<F: FnMut(Option<Permit>) -> Fut, Fut> MakeAttempt<WithPermit> for F {
    type Future = Fut;
    const TAKES_PERMIT: bool = true;

    #[inline(always)]
    fn make(&mut self, permit: Option<Permit>) -> Fut {
        self(permit)
    }
}

pin_project! {
    /// The future of [`Policy::run`](crate::Policy::run), which asks to be let in at its first poll.
    ///
    /// # Cancellation
    /// Dropping it drops the running attempt, releases its permit or leaves the queue, and counts as the circuit
    /// breaker's [`OnDrop`](crate::OnDrop) says. Before its first poll it has taken nothing.
    #[must_use = "futures do nothing unless polled"]
    pub struct PolicyRun<'a, F, Fut, C = ErrorClassifier, D = RetryErrors, Takes = WithoutPermit> {
        how: PolicyCall<'a, C, D>,
        call: F,
        #[pin]
        state: RunStage<Fut>,
        progress: Progress,
        total: TotalClock,
        takes: PhantomData<fn() -> Takes>,
    }

    impl<F, Fut, C, D, Takes> PinnedDrop for PolicyRun<'_, F, Fut, C, D, Takes> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            let _entered = this.total.enter();
            this.state.abandon(this.how.policy);
        }
    }
}

pin_project! {
    #[project = RunStateProj]
    enum RunStage<Fut> {
        New,
        Queued { place: Box<QueueState> },
        Calling { #[pin] call: CallState<Policy, Fut, Infallible> },
        Between { pause: Pause },
    }
}

impl<Fut> RunStage<Fut> {
    #[inline(always)]
    fn abandon(mut self: Pin<&mut Self>, policy: &Policy) {
        match self.as_mut().project() {
            RunStateProj::Calling { call } => return call.abandon(policy),
            RunStateProj::Queued { place } => policy.leave(place),
            RunStateProj::New | RunStateProj::Between { .. } => {}
        }
        self.set(RunStage::Calling { call: CallState::OVER });
    }
}

impl<'a, F, Fut, C, D, Takes> PolicyRun<'a, F, Fut, C, D, Takes> {
    #[inline]
    pub(super) fn new(how: PolicyCall<'a, C, D>, call: F) -> Self {
        let (state, total) = (RunStage::New, TotalClock::new(how.policy.total_timeout_for(how.class), None));
        let progress = Progress { attempts: 0, started: Timestamp::NEVER };
        PolicyRun { how, call, state, progress, total, takes: PhantomData }
    }
}

impl<'a, F, Fut, C, D, Takes, T, E> PolicyRun<'a, F, Fut, C, D, Takes>
where
    F: MakeAttempt<Takes, Future = Fut>,
    Fut: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    D: RetryIf<T, E>,
    E: StackError + Debug + Display,
{
    /// Makes the deadline current that the policy gives the call, when it begins.
    #[inline(always)]
    fn enter(self: Pin<&mut Self>) -> Option<EnteredRarely> {
        let this = self.project();
        if let RunStateProj::New = this.state.project() {
            let PolicyCall { policy, class, .. } = *this.how;
            if let deadline @ Some(_) = policy.deadline_for_call() {
                *this.total = TotalClock::new(policy.total_timeout_for(class), deadline);
            }
        }
        this.total.enter()
    }

    #[inline(always)]
    fn poll_attempts(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        attempt: &mut impl PollAttempt<'a>,
    ) -> Poll<Result<T, E>> {
        let mut this = self.project();
        let PolicyCall { policy, class, classifier, retry_if } = *this.how;
        let retry = policy.retry_for(class);
        loop {
            let ticket = match this.state.as_mut().project() {
                RunStateProj::Calling { call } => {
                    let poll = attempt.poll(call, policy, classifier, cx);
                    let Poll::Ready(result) = &poll else { return poll };
                    let Some(retry) = retry else { return poll };
                    let decision = retry_if.retry_if(result);
                    let Some(pause) = retry.next(this.progress, decision, result, |_| true) else { return poll };
                    // Whatever the failed attempt holds is released before the wait.
                    attempt.end();
                    this.state.set(RunStage::Between { pause });
                    continue;
                }
                RunStateProj::New => {
                    if let Some(retry) = retry {
                        *this.progress = retry.begin();
                    }
                    admit(policy, class, &mut None)
                }
                RunStateProj::Between { pause } => {
                    ready!(Pin::new(pause).poll(cx));
                    admit(policy, class, &mut None)
                }
                RunStateProj::Queued { place } => {
                    ready!(guard::poll_admit(policy, class, place, cx))
                }
            };
            match ticket {
                Ok(ticket) => {
                    let call = start(policy, ticket, class, this.call);
                    this.state.set(RunStage::Calling { call });
                }
                Err(Refused::TooLate(stage)) => {
                    let rejected = policy.deadline_exceeded(stage);
                    this.state.set(RunStage::Calling { call: CallState::rejected(rejected) });
                }
                Err(Refused::MayWait(())) => this.state.set(RunStage::Queued { place: Box::default() }),
                Err(Refused::For(refusal)) => {
                    this.state.set(RunStage::Calling { call: CallState::rejected(policy.reject(refusal)) });
                }
            }
        }
    }

    #[inline(always)]
    pub(super) fn poll_whole(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        attempt: &mut impl PollAttempt<'a>,
    ) -> Poll<Result<T, E>> {
        let _entered = self.as_mut().enter();
        // The call comes first: a response that has arrived is never lost to the clock.
        let poll = self.as_mut().poll_attempts(cx, attempt);
        if poll.is_ready() {
            return poll;
        }
        let this = self.project();
        let time_up = ready!(this.total.poll(cx));
        let policy = this.how.policy;
        this.state.abandon(policy);
        Poll::Ready(Err(policy.timed_out(time_up).into()))
    }
}

/// Makes an attempt that was let in.
#[inline(always)]
fn start<F, Takes>(
    policy: &Policy,
    mut ticket: PolicyTicket,
    class: Class,
    call: &mut F,
) -> CallState<Policy, F::Future, Infallible>
where
    F: MakeAttempt<Takes>,
{
    let permit = if F::TAKES_PERMIT { ticket.hand_out_permit(policy) } else { None };
    let guard = UnwindGuard(policy, &ticket);
    let inner = call.make(permit);
    guard.disarm();
    CallState::Running { ticket, limit: policy.limit(class), inner }
}

impl<F, Fut, C, D, Takes, T, E> Future for PolicyRun<'_, F, Fut, C, D, Takes>
where
    F: MakeAttempt<Takes, Future = Fut>,
    Fut: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    D: RetryIf<T, E>,
    E: StackError + Debug + Display,
{
    type Output = Result<T, E>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_whole(cx, &mut EndsWithResponse)
    }
}

impl<F, Fut, C, D, Takes> Debug for PolicyRun<'_, F, Fut, C, D, Takes> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyRun").finish_non_exhaustive()
    }
}
