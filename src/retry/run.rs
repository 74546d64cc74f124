use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::decide::{RetryErrors, RetryIf};
use super::pause::Pause;
use super::policy::RetryPolicy;
use crate::machine::retry::attempts::Progress;
use crate::machine::timestamp::Timestamp;
use crate::rt::panic::polled_again;

pin_project! {
    /// The future of [`RetryPolicy::run`](crate::RetryPolicy::run), which makes its first attempt when it is first
    /// polled.
    ///
    /// # Cancellation
    /// Dropping it drops the running attempt, or ends the wait; nothing is tried after that.
    #[must_use = "futures do nothing unless polled"]
    pub struct RetryRun<'a, F, Fut, C = RetryErrors> {
        policy: &'a RetryPolicy,
        retry_if: &'a C,
        attempt: F,
        progress: Progress,
        #[pin]
        state: RetryRunState<Fut>,
    }
}

pin_project! {
    #[project = RetryRunStateProj]
    enum RetryRunState<Fut> {
        New,
        Calling { #[pin] call: Fut },
        Between { pause: Pause },
        // It has ended, or an attempt is being made.
        Over,
    }
}

impl<'a, F, Fut, C> RetryRun<'a, F, Fut, C> {
    #[inline]
    pub(super) fn new(policy: &'a RetryPolicy, retry_if: &'a C, attempt: F) -> RetryRun<'a, F, Fut, C> {
        let progress = Progress { attempts: 0, started: Timestamp::NEVER };
        RetryRun { policy, retry_if, attempt, progress, state: RetryRunState::New }
    }
}

impl<F, Fut, C, T, E> Future for RetryRun<'_, F, Fut, C>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
    C: RetryIf<T, E>,
    E: Debug + Display,
{
    type Output = Result<T, E>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                RetryRunStateProj::Calling { call } => {
                    let poll = call.poll(cx);
                    let Poll::Ready(result) = &poll else { return poll };
                    let decision = this.retry_if.retry_if(result);
                    // Whatever the attempt holds is released before the wait.
                    match this.policy.next(this.progress, decision, result, |_| true) {
                        Some(pause) => this.state.set(RetryRunState::Between { pause }),
                        None => {
                            this.state.set(RetryRunState::Over);
                            return poll;
                        }
                    }
                    continue;
                }
                RetryRunStateProj::New => *this.progress = this.policy.begin(),
                RetryRunStateProj::Between { pause } => ready!(Pin::new(pause).poll(cx)),
                RetryRunStateProj::Over => polled_again("a call that is retried"),
            }
            this.state.set(RetryRunState::Over);
            let call = (this.attempt)();
            this.state.set(RetryRunState::Calling { call });
        }
    }
}

impl<F, Fut, C> Debug for RetryRun<'_, F, Fut, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryRun")
            .field("policy", self.policy.name())
            .field("attempt", &self.progress.attempts)
            .finish_non_exhaustive()
    }
}
