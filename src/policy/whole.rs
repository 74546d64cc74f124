use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::handle::Policy;
use crate::error::StackError;
use crate::rt::panic::polled_again;
use crate::timeout::Clock;

pin_project! {
    /// A whole call with all of its attempts, with or without a limit. Without one it is as large as its contents.
    #[project = PolicyTotalProj]
    pub(super) enum PolicyTotal<F> {
        Endless { #[pin] call: F },
        // Boxed, so that a call without a limit is no larger for it.
        LimitedCall { limited: Pin<Box<LimitedCall<F>>> },
    }
}

pin_project! {
    /// A call that is given up when its time is up.
    pub(super) struct LimitedCall<F> {
        clock: Clock,
        // `None` once it was given up.
        #[pin]
        call: Option<F>,
        policy: Policy,
    }
}

impl<F> PolicyTotal<F> {
    #[inline]
    pub(super) fn new(policy: &Policy, total: Option<Duration>, call: F) -> PolicyTotal<F> {
        match total {
            None => PolicyTotal::Endless { call },
            Some(total) => PolicyTotal::limited(policy, total, call),
        }
    }

    #[cold]
    fn limited(policy: &Policy, total: Duration, call: F) -> PolicyTotal<F> {
        let clock = Clock::new(Some(total));
        PolicyTotal::LimitedCall { limited: Box::pin(LimitedCall { clock, call: Some(call), policy: policy.clone() }) }
    }

    /// The call, unless it was given up.
    pub(super) fn call(&self) -> Option<&F> {
        match self {
            PolicyTotal::Endless { call } => Some(call),
            PolicyTotal::LimitedCall { limited } => limited.call.as_ref(),
        }
    }
}

impl<F, T, E> Future for PolicyTotal<F>
where
    F: Future<Output = Result<T, E>>,
    E: StackError,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            PolicyTotalProj::Endless { call } => call.poll(cx),
            PolicyTotalProj::LimitedCall { limited } => limited.as_mut().poll(cx),
        }
    }
}

impl<F, T, E> Future for LimitedCall<F>
where
    F: Future<Output = Result<T, E>>,
    E: StackError,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(call) = this.call.as_mut().as_pin_mut() else {
            polled_again("a call through a policy");
        };
        // The call comes first: a response that has arrived is never lost to the clock.
        if let Poll::Ready(result) = call.poll(cx) {
            return Poll::Ready(result);
        }
        let after = ready!(this.clock.poll(cx));
        this.call.set(None);
        let rejected = this.policy.timed_out(after);
        Poll::Ready(Err(rejected.into()))
    }
}
