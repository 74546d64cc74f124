use std::borrow::Borrow;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::class::Class;
use super::handle::Policy;
use super::pass::{Pass, PassGuard};
use crate::circuit_breaker::{Classify, judge};
use crate::error::{Rejected, StackError};
use crate::timeout::Clock;

pin_project! {
    /// A call of what lies inside of a policy, until its time is over.
    #[project = AttemptProj]
    pub(super) enum Attempt<F> {
        RunningAttempt { clock: Clock, #[pin] inner: F },
        GivenUp,
    }
}

impl<F> Attempt<F> {
    #[inline]
    pub(super) fn new(policy: &Policy, class: Class, inner: F) -> Attempt<F> {
        Attempt::RunningAttempt { clock: Clock::new(class.limit(policy.timeout())), inner }
    }

    /// Ready with the result, of which the circuit has been told and for which no permit is held any more.
    ///
    /// The result is judged where it lies: moving it costs more than the rest.
    #[inline]
    pub(super) fn poll<H, C, T, E>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pass: &mut Pass<H>,
        classifier: &C,
    ) -> Poll<Result<T, E>>
    where
        H: Borrow<Policy>,
        F: Future<Output = Result<T, E>>,
        C: Classify<T, E>,
        E: StackError,
    {
        let AttemptProj::RunningAttempt { clock, inner } = self.as_mut().project() else {
            // It was polled after it ended, which no future has to survive; hanging is worse than telling.
            panic!("`ResponseFuture` was polled after it was ready");
        };
        let mut fuse = PassGuard::new(pass);
        // Inner comes first: an answer that is there is never lost to the clock.
        let mut poll = inner.poll(cx);
        if poll.is_pending() {
            if let Poll::Ready(after) = clock.poll(cx) {
                self.set(Attempt::GivenUp);
                let unnamed = Rejected::TimedOut { after, timeout: None };
                let rejected = fuse.pass().map_or(unnamed, |pass| pass.policy().timed_out(after));
                poll = Poll::Ready(Err(rejected.into()));
            }
        }
        if let Poll::Ready(result) = &poll {
            if let Some(pass) = fuse.pass() {
                pass.give_back();
                let verdict = judge(classifier, result);
                pass.settle(verdict);
            }
        }
        fuse.disarm();
        poll
    }
}

pin_project! {
    /// An attempt that borrows the policy.
    pub(super) struct RunningAttempt<'a, F, C> {
        #[pin]
        attempt: Attempt<F>,
        classifier: &'a C,
        // The last: the permit is given back after the inner future was dropped.
        pass: Pass<&'a Policy>,
    }

    impl<F, C> PinnedDrop for RunningAttempt<'_, F, C> {
        fn drop(this: Pin<&mut Self>) {
            // Before its future is dropped, which may take its time.
            this.project().pass.settle_dropped();
        }
    }
}

impl<'a, F, C> RunningAttempt<'a, F, C> {
    pub(super) fn new(pass: Pass<&'a Policy>, class: Class, classifier: &'a C, inner: F) -> RunningAttempt<'a, F, C> {
        RunningAttempt { attempt: Attempt::new(pass.policy(), class, inner), classifier, pass }
    }
}

impl<F, C, T, E> Future for RunningAttempt<'_, F, C>
where
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    E: StackError,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.attempt.poll(cx, this.pass, *this.classifier)
    }
}
