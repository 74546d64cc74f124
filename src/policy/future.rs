use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tower_service::Service;

use super::attempt::Attempt;
use super::class::Class;
use super::handle::Policy;
use super::inside::{Inside, Made};
use super::pass::{Fuse, Pass};
use super::waiting::Waiting;
use crate::circuit::judge;
use crate::event::ErrorText;
use crate::machine::retry::{Progress, StopReason};
use crate::retry::{Ask, Pause, Replay, RetryIf};
use crate::{Classify, Rejected, StackError};

pin_project! {
    /// The response future of [`PolicyService`](super::PolicyService).
    ///
    /// # Cancellation
    /// Dropping it counts as the circuit's [`OnDrop`](crate::OnDrop) says, drops the inner future, and then gives the
    /// slot back or leaves the queue. Nothing is tried after that; the token of a retry that was about to be made is
    /// spent.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time enabled, if it has to wait and there is a limit to it.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, Request, C, D, R>
    where
        S: Service<R::Sent>,
        R: Replay<Request>,
    {
        #[pin]
        state: State<S::Future, S, R::Sent>,
        retrying: Option<Retrying<S, R::Kept>>,
        class: Class,
        classifier: C,
        retry_if: D,
        replay: R,
        // The last: the slot is given back after the inner future was dropped. Absent if nothing is held and nothing
        // will be.
        pass: Option<Pass<Policy>>,
    }

    impl<S, Request, C, D, R> PinnedDrop for ResponseFuture<S, Request, C, D, R>
    where
        S: Service<R::Sent>,
        R: Replay<Request>,
    {
        fn drop(this: Pin<&mut Self>) {
            // Before the inner future is dropped, which may take its time.
            if let Some(pass) = this.project().pass {
                pass.settle_dropped();
            }
        }
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, S, Sent> {
        Calling { #[pin] attempt: Attempt<F> },
        // For a slot, and for the inner service's readiness.
        Waiting { waiting: Box<Waiting<S, Sent>> },
        Rejected { rejected: Option<Rejected> },
        // The wait between two attempts, and then the service's readiness.
        Between { pause: Pause, sent: Option<Sent> },
    }
}

impl<F, S, Sent> State<F, S, Sent> {
    #[inline]
    fn new(policy: &Policy, class: Class, made: Made<F, S, Sent>) -> Self {
        match made {
            Made::Call(inner) => State::Calling { attempt: Attempt::new(policy, class, inner) },
            Made::Waiting(waiting) => State::Waiting { waiting },
            Made::Rejected(rejected) => State::Rejected { rejected: Some(rejected) },
        }
    }
}

/// A request that may be tried again.
pub(super) struct Retrying<S, Kept> {
    pub(super) progress: Progress,
    pub(super) spare: Option<Spare<S, Kept>>,
}

/// What retries are made of.
pub(super) struct Spare<S, Kept> {
    pub(super) inside: Inside<S>,
    /// Let go when the last attempt begins, so that nobody keeps for another what it is sending.
    pub(super) kept: Option<Kept>,
}

/// What is called at the end of an attempt.
pub(super) struct Judges<C, D, R> {
    pub(super) classifier: C,
    pub(super) retry_if: D,
    pub(super) replay: R,
}

impl<S, Request, C, D, R> ResponseFuture<S, Request, C, D, R>
where
    S: Service<R::Sent>,
    R: Replay<Request>,
{
    #[inline]
    pub(super) fn new(
        pass: Pass<&Policy>,
        made: Made<S::Future, S, R::Sent>,
        class: Class,
        retrying: Option<Retrying<S, R::Kept>>,
        judges: Judges<C, D, R>,
    ) -> Self {
        let state = State::new(pass.policy(), class, made);
        // Who is rejected for good needs no handle.
        let ends = matches!(state, State::Rejected { .. }) && retrying.is_none();
        let pass = if ends { None } else { Some(pass.into_owned()) };
        let Judges { classifier, retry_if, replay } = judges;
        ResponseFuture { state, retrying, class, classifier, retry_if, replay, pass }
    }
}

impl<S, Request, C, D, R> Future for ResponseFuture<S, Request, C, D, R>
where
    S: Service<R::Sent> + Clone,
    S::Error: StackError + Debug + Display,
    C: Classify<S::Response, S::Error>,
    D: RetryIf<S::Response, S::Error>,
    R: Replay<Request>,
{
    type Output = Result<S::Response, S::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let result = match (this.state.as_mut().project(), this.pass.as_mut()) {
                (StateProj::Calling { attempt }, Some(pass)) => ready!(attempt.poll(cx, pass, this.classifier)),
                (StateProj::Waiting { waiting }, Some(pass)) => {
                    let mut fuse = Fuse::new(pass);
                    let poll = fuse.pass().map_or(Poll::Pending, |pass| waiting.poll(cx, pass));
                    let result = match poll {
                        Poll::Pending => {
                            fuse.disarm();
                            return Poll::Pending;
                        }
                        Poll::Ready(Ok(inner)) => {
                            fuse.disarm();
                            let attempt = Attempt::new(pass.policy(), *this.class, inner);
                            this.state.set(State::Calling { attempt });
                            continue;
                        }
                        Poll::Ready(Err(error)) => Err(error),
                    };
                    let verdict = judge(this.classifier, &result);
                    fuse.disarm();
                    pass.give_back();
                    pass.settle(verdict);
                    result
                }
                (StateProj::Rejected { rejected }, _) => match rejected.take() {
                    Some(rejected) => Err(rejected.into()),
                    // No future has to survive this; hanging is worse than telling.
                    None => panic!("`ResponseFuture` was polled after it was ready"),
                },
                (StateProj::Between { pause, sent }, Some(pass)) => {
                    ready!(Pin::new(pause).poll(cx));
                    let spare = this.retrying.as_mut().and_then(|retrying| retrying.spare.as_mut());
                    let (Some(spare), true) = (spare, sent.is_some()) else {
                        panic!("`ResponseFuture` was polled after it was ready");
                    };
                    let ready = ready!(spare.inside.poll_ready(pass.policy(), *this.class, cx));
                    if let Err(error) = ready {
                        *sent = None;
                        stopped_before_call(pass.policy(), this.retrying.as_ref(), &error);
                        return Poll::Ready(Err(error));
                    }
                    if let Some(sent) = sent.take() {
                        let made = call_again(this.retrying.as_mut(), pass, *this.class, sent);
                        let state = made.map(|made| State::new(pass.policy(), *this.class, made));
                        if let Some(state) = state {
                            this.state.set(state);
                        }
                    }
                    continue;
                }
                // It holds a pass in all of these.
                (_, None) => panic!("`ResponseFuture` was polled after it was ready"),
            };
            let (Some(retrying), Some(pass)) = (this.retrying.as_mut(), this.pass.as_ref()) else {
                return Poll::Ready(result);
            };
            let Some(retry) = pass.policy().retry_policy() else {
                return Poll::Ready(result);
            };
            let decision = this.retry_if.retry_if(&result);
            let replay = &*this.replay;
            let kept = retrying.spare.as_ref().and_then(|spare| spare.kept.as_ref());
            let mut sent = None;
            let again = |ask| match (ask, kept) {
                (_, None) => false,
                (Ask::IsPossible, Some(kept)) => replay.is_possible(kept),
                (Ask::Prepare, Some(kept)) => {
                    sent = replay.again(kept);
                    sent.is_some()
                }
            };
            let Some(pause) = retry.next(&mut retrying.progress, decision, &result, again) else {
                return Poll::Ready(result);
            };
            // Whatever the failed attempt holds is let go before the wait.
            this.state.set(State::Between { pause, sent });
            drop(result);
        }
    }
}

/// Makes another attempt.
fn call_again<S, Kept, Sent>(
    retrying: Option<&mut Retrying<S, Kept>>,
    pass: &mut Pass<Policy>,
    class: Class,
    sent: Sent,
) -> Option<Made<S::Future, S, Sent>>
where
    S: Service<Sent> + Clone,
{
    let Retrying { progress, spare } = retrying?;
    let spare = spare.as_mut()?;
    if pass.policy().retry_policy().is_some_and(|retry| retry.is_last(progress)) {
        spare.kept = None;
    }
    let (another, made) = spare.inside.call(pass.policy(), class, sent);
    let taken = another.into_taken();
    pass.put(taken);
    Some(made)
}

/// The attempt that had begun to be made never was.
#[cold]
fn stopped_before_call<S, Kept, E: Debug + Display>(policy: &Policy, retrying: Option<&Retrying<S, Kept>>, error: &E) {
    if let (Some(retry), Some(Retrying { progress, .. })) = (policy.retry_policy(), retrying) {
        let made = Progress { attempts: progress.attempts - 1, ..*progress };
        retry.stopped(made, StopReason::NotReady, Some(ErrorText::new(error)));
    }
}

impl<S, Request, C, D, R> fmt::Debug for ResponseFuture<S, Request, C, D, R>
where
    S: Service<R::Sent>,
    R: Replay<Request>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Calling { .. } => "calling",
            State::Waiting { .. } => "waiting",
            State::Rejected { .. } => "rejected",
            State::Between { .. } => "between two attempts",
        };
        f.debug_struct("ResponseFuture").field("state", &state).finish_non_exhaustive()
    }
}
