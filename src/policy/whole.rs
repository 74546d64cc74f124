use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::handle::Policy;
use crate::StackError;
use crate::timeout::Clock;

pin_project! {
    /// A whole call, with all of its attempts, perhaps with a limit. Without one it is as large as what is in it.
    #[project = WholeProj]
    pub(super) enum Whole<F> {
        Endless { #[pin] call: F },
        // Boxed, so that the future of who has no limit is no larger for it.
        Limited { limited: Pin<Box<Limited<F>>> },
    }
}

pin_project! {
    /// A call that is given up when its time is over.
    pub(super) struct Limited<F> {
        clock: Clock,
        // None once it was given up.
        #[pin]
        call: Option<F>,
        policy: Policy,
    }
}

impl<F> Whole<F> {
    #[inline]
    pub(super) fn new(policy: &Policy, total: Option<Duration>, call: F) -> Whole<F> {
        match total {
            None => Whole::Endless { call },
            Some(total) => Whole::limited(policy, total, call),
        }
    }

    #[cold]
    fn limited(policy: &Policy, total: Duration, call: F) -> Whole<F> {
        let clock = Clock::new(Some(total));
        Whole::Limited { limited: Box::pin(Limited { clock, call: Some(call), policy: policy.clone() }) }
    }

    /// The call, unless it was given up.
    pub(super) fn call(&self) -> Option<&F> {
        match self {
            Whole::Endless { call } => Some(call),
            Whole::Limited { limited } => limited.call.as_ref(),
        }
    }
}

impl<F, T, E> Future for Whole<F>
where
    F: Future<Output = Result<T, E>>,
    E: StackError,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            WholeProj::Endless { call } => call.poll(cx),
            WholeProj::Limited { limited } => limited.as_mut().poll(cx),
        }
    }
}

impl<F, T, E> Future for Limited<F>
where
    F: Future<Output = Result<T, E>>,
    E: StackError,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(call) = this.call.as_mut().as_pin_mut() else {
            panic!("a call through a policy was polled after it was ready");
        };
        // The call comes first: an answer that is there is never lost to the clock.
        if let Poll::Ready(result) = call.poll(cx) {
            return Poll::Ready(result);
        }
        let after = ready!(this.clock.poll(cx));
        this.call.set(None);
        let rejected = this.policy.timed_out(after);
        Poll::Ready(Err(rejected.into()))
    }
}
