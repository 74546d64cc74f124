use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::handle::Policy;
use super::maybe_limited::MaybeLimited;
use crate::error::StackError;
use crate::rt::panic::polled_again;
use crate::timeout::Clock;

/// A whole call with all of its attempts, with or without a limit.
pub(super) type PolicyTotal<F> = MaybeLimited<F, LimitedCall<F>>;

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
            None => PolicyTotal::Unlimited { inner: call },
            Some(total) => PolicyTotal::within(policy, total, call),
        }
    }

    #[cold]
    fn within(policy: &Policy, total: Duration, call: F) -> PolicyTotal<F> {
        let clock = Clock::new(Some(total));
        PolicyTotal::limited(LimitedCall { clock, call: Some(call), policy: policy.clone() })
    }

    /// The call, unless it was given up.
    pub(super) fn call(&self) -> Option<&F> {
        match self {
            PolicyTotal::Unlimited { inner: call } => Some(call),
            PolicyTotal::Limited { inner } => inner.call.as_ref(),
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
