use std::borrow::Borrow;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::class::Class;
use super::handle::Policy;
use super::pass::{Pass, PassGuard};
use crate::circuit_breaker::classify::Classify;
use crate::circuit_breaker::judge;
use crate::error::{Rejected, StackError};
use crate::rt::panic::polled_again;
use crate::timeout::Clock;

pin_project! {
    /// A call to whatever is inside a policy, until its time is up.
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

    /// Ready with the result, once the circuit breaker has been told and the permit released.
    ///
    /// Judges the result in place: moving it would cost more than everything else here.
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
            polled_again("`ResponseFuture`");
        };
        let mut fuse = PassGuard::new(pass);
        // The inner future comes first: a response that has arrived is never lost to the clock.
        let mut poll = inner.poll(cx);
        if poll.is_pending() {
            if let Poll::Ready(after) = clock.poll(cx) {
                self.set(Attempt::GivenUp);
                let unnamed = Rejected::TimedOut { after: after.into(), timeout: None };
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
        // Last, so that the permit is released after the inner future was dropped.
        pass: Pass<&'a Policy>,
    }

    impl<F, C> PinnedDrop for RunningAttempt<'_, F, C> {
        fn drop(this: Pin<&mut Self>) {
            // Before the future is dropped, because that may take a while.
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
