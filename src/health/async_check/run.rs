use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::attempt::{CheckAttempt, Drive};
use super::shared::{JoinAnswer, Leave, Shared};
use crate::health::check::Status;
use crate::rt::panic::polled_again;

/// Waits for the result of an [`AsyncCheck`](super::AsyncCheck). Made by [`AsyncCheck::run`](super::AsyncCheck::run).
///
/// # Cancellation
/// Dropping it leaves the run to the others that wait for it; if there are none, the run is dropped and leaves no
/// result.
#[must_use = "futures do nothing unless polled"]
pub struct CheckRun {
    check: Arc<Shared>,
    place: RunWaker,
}

enum RunWaker {
    /// Not counted as a waiter: not polled yet, or polled only from inside the run that it would wait for.
    New,
    Waits {
        attempt: Arc<CheckAttempt>,
        id: u64,
    },
    Left,
}

impl CheckRun {
    pub(super) fn new(check: Arc<Shared>) -> CheckRun {
        CheckRun { check, place: RunWaker::New }
    }
}

impl Future for CheckRun {
    type Output = Status;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Status> {
        let CheckRun { check, place } = &mut *self;
        if matches!(place, RunWaker::New) {
            *place = match check.join() {
                JoinAnswer::Waits(attempt) => RunWaker::Waits { attempt, id: 0 },
                JoinAnswer::Inside => return Poll::Pending,
                JoinAnswer::Kept(status) => {
                    *place = RunWaker::Left;
                    return Poll::Ready(status);
                }
            };
        }
        let RunWaker::Waits { attempt, id } = place else { polled_again("`CheckRun`") };
        // Joined before the run is checked, so that a change in between is not missed.
        attempt.wakers.join(id, cx.waker());
        let (status, ends_here) = match attempt.drive(&check.make, check.settings.timeout, |status| check.ended(status))
        {
            Drive::Pending => return Poll::Pending,
            Drive::Inside => {
                // A run that waits for itself must not keep itself going once nothing else waits for it. The task that
                // is polling it here waits for it, so this is not the last waiter.
                attempt.wakers.leave(*id);
                let _nothing = check.leave(attempt);
                *place = RunWaker::New;
                return Poll::Pending;
            }
            Drive::Done(status) => (status, false),
            Drive::Ended(status) => (status, true),
        };
        attempt.wakers.leave(*id);
        if ends_here {
            attempt.wakers.wake_all();
        }
        *place = RunWaker::Left;
        Poll::Ready(status)
    }
}

impl Drop for CheckRun {
    fn drop(&mut self) {
        let RunWaker::Waits { attempt, id } = &self.place else { return };
        attempt.wakers.leave(*id);
        if let Leave::Last(mut job) = self.check.leave(attempt) {
            // Foreign code, so outside the locks. A caller that comes meanwhile waits until this run is gone.
            job.end();
            self.check.dropped(attempt);
        }
        // This waiter may have been woken to drive the run on.
        attempt.wakers.wake_all();
    }
}

impl fmt::Debug for CheckRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckRun").finish_non_exhaustive()
    }
}
