//! The attempts of a call that may be retried.

use std::fmt::{Debug, Display};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tower_service::Service;

use super::again::WithRetry;
use super::class::Class;
use super::handle::Policy;
use super::kept::PollAttempt;
use super::once::Late;
use super::total::TotalClock;
use crate::admission::call_state::CallState;
use crate::admission::classify::Classify;
use crate::admission::gate::Readiness;
use crate::error::{Rejected, StackError};
use crate::machine::retry::attempts::{Progress, StopReason};
use crate::observe::event::ErrorRef;
use crate::retry::decide::RetryIf;
use crate::retry::{Ask, Pause, Replay};
use crate::rt::panic::polled_again;
use crate::rt::time::TimeUp;

pub(super) type PolicyCallState<S, Sent> = CallState<Policy, <S as Service<Sent>>::Future, Late<S, Sent>>;

pin_project! {
    #[project = AttemptsProj]
    pub(super) enum Attempts<S, Sent>
    where
        S: Service<Sent>,
    {
        Calling { #[pin] call: PolicyCallState<S, Sent> },
        // The wait between two attempts, and then the service's readiness.
        Between { pause: Pause, sent: Option<Sent> },
    }
}

impl<S: Service<Sent>, Sent> Attempts<S, Sent> {
    #[inline(always)]
    fn abandon(mut self: Pin<&mut Self>, policy: &Policy) {
        match self.as_mut().project() {
            AttemptsProj::Calling { call } => call.abandon(policy),
            AttemptsProj::Between { .. } => self.set(Attempts::Calling { call: CallState::OVER }),
        }
    }

    /// Why the call was refused for good.
    #[inline(always)]
    pub(super) fn rejection(self: Pin<&mut Self>) -> Rejected {
        match self.project() {
            AttemptsProj::Calling { call } => call.take_rejection(),
            AttemptsProj::Between { .. } => polled_again("`ResponseFuture`"),
        }
    }

    /// Gives the call up, within the scope of its deadline if the policy gave it one.
    #[inline(always)]
    pub(super) fn abandon_within(mut self: Pin<&mut Self>, total: &TotalClock, policy: &Policy) {
        let is_under_way = match self.as_mut().project() {
            AttemptsProj::Calling { call } => call.is_under_way(),
            AttemptsProj::Between { .. } => true,
        };
        if is_under_way {
            self.abandon_in_scope(total, policy);
        }
    }

    #[cold]
    fn abandon_in_scope(self: Pin<&mut Self>, total: &TotalClock, policy: &Policy) {
        let _entered = total.enter();
        self.abandon(policy);
    }

    /// The time of the whole call is up.
    #[cold]
    pub(super) fn give_up(self: Pin<&mut Self>, policy: &Policy, time_up: TimeUp) -> Rejected {
        self.abandon(policy);
        policy.timed_out(time_up)
    }
}

/// A request that may be retried.
pub(super) struct Retrying<S, Kept> {
    pub(super) progress: Progress,
    pub(super) class: Class,
    pub(super) spare: Option<PolicyRetryParts<S, Kept>>,
}

/// What retries need.
pub(super) struct PolicyRetryParts<S, Kept> {
    pub(super) service: S,
    /// Released when the last attempt starts, so that no copy is kept of what it is sending.
    pub(super) kept: Option<Kept>,
}

/// One attempt after another.
#[inline(always)]
pub(super) fn poll_attempts<'a, S, Request, C, D, R>(
    mut state: Pin<&mut Attempts<S, R::Sent>>,
    retrying: &mut Option<Retrying<S, R::Kept>>,
    again: &WithRetry<D, R>,
    held: &'a (Policy, C),
    total: &mut TotalClock,
    cx: &mut Context<'_>,
    attempt: &mut impl PollAttempt<'a>,
) -> Poll<Result<S::Response, S::Error>>
where
    S: Service<R::Sent> + Clone,
    S::Error: StackError + Debug + Display,
    C: Classify<S::Response, S::Error>,
    D: RetryIf<S::Response, S::Error>,
    R: Replay<Request>,
{
    let policy = &held.0;
    loop {
        let call = match state.as_mut().project() {
            AttemptsProj::Calling { call } => call,
            AttemptsProj::Between { pause, sent } => {
                ready!(Pin::new(pause).poll(cx));
                let (Some(retrying), true) = (retrying.as_mut(), sent.is_some()) else {
                    polled_again("`ResponseFuture`");
                };
                match retrying.poll_again(cx, policy, sent) {
                    Poll::Ready(Ok(Some(call))) => state.set(Attempts::Calling { call }),
                    Poll::Ready(Ok(None)) => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => {
                        total.heed_deadline(cx);
                        return Poll::Pending;
                    }
                }
                continue;
            }
        };
        let poll = attempt.poll(call, policy, &held.1, cx);
        let Poll::Ready(result) = &poll else { return poll };
        let (Some(retrying), Some(retry)) = (retrying.as_mut(), policy.retry_policy()) else { return poll };
        let decision = again.retry_if.retry_if(result);
        let replay = &again.replay;
        let kept = retrying.spare.as_ref().and_then(|spare| spare.kept.as_ref());
        let mut sent = None;
        let prepare = |ask| match (ask, kept) {
            (_, None) => false,
            (Ask::IsPossible, Some(kept)) => replay.is_possible(kept),
            (Ask::Prepare, Some(kept)) => {
                sent = replay.again(kept);
                sent.is_some()
            }
        };
        let Some(pause) = retry.next(&mut retrying.progress, decision, result, prepare) else { return poll };
        // Whatever the failed attempt holds is released before the wait.
        attempt.end();
        state.set(Attempts::Between { pause, sent });
    }
}

/// Another attempt, or `None` if there is nothing to make it from.
type Made<S, Sent> = Poll<Result<Option<PolicyCallState<S, Sent>>, <S as Service<Sent>>::Error>>;

impl<S, Kept> Retrying<S, Kept> {
    /// Drives the spare service to readiness and makes another attempt.
    fn poll_again<Sent>(&mut self, cx: &mut Context<'_>, policy: &Policy, sent: &mut Option<Sent>) -> Made<S, Sent>
    where
        S: Service<Sent> + Clone,
        S::Error: Debug + Display,
    {
        let Retrying { progress, class, spare } = self;
        let (Some(PolicyRetryParts { service, kept }), Some(retry)) = (spare, policy.retry_policy()) else {
            return Poll::Ready(Ok(None));
        };
        let mut gate = Readiness::default();
        if let Err(error) = ready!(gate.poll_ready(policy, *class, service, cx)) {
            *sent = None;
            // The attempt that was being prepared was never made.
            let made = Progress { attempts: progress.attempts - 1, ..*progress };
            retry.stopped(made, StopReason::NotReady, Some(ErrorRef::new(&error)));
            return Poll::Ready(Err(error));
        }
        let Some(sent) = sent.take() else {
            return Poll::Ready(Ok(None));
        };
        if retry.is_last(progress) {
            *kept = None;
        }
        Poll::Ready(Ok(Some(gate.call(policy, *class, service, sent, &(), |call, _| call))))
    }
}
