use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::attempt::{Attempt, Drive};
use super::shared::{Join, Shared};
use crate::health::Status;

/// Waits for the result of an [`AsyncCheck`](super::AsyncCheck). Made by [`AsyncCheck::run`](super::AsyncCheck::run).
///
/// # Cancellation
/// Dropping it leaves the run to the others who wait for it; if there are none, the run is dropped and leaves no result.
#[must_use = "futures do nothing unless polled"]
pub struct Run {
    check: Arc<Shared>,
    place: Place,
}

enum Place {
    New,
    Waits { attempt: Arc<Attempt>, id: u64 },
    Left,
}

impl Run {
    pub(super) fn new(check: Arc<Shared>) -> Run {
        Run { check, place: Place::New }
    }
}

impl Future for Run {
    type Output = Status;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Status> {
        let Run { check, place } = &mut *self;
        if matches!(place, Place::New) {
            *place = match check.join() {
                Join::Waits(attempt) => Place::Waits { attempt, id: 0 },
                Join::Kept(status) => {
                    *place = Place::Left;
                    return Poll::Ready(status);
                }
            };
        }
        let Place::Waits { attempt, id } = place else { panic!("`Run` was polled after it was ready") };
        // Before the look at the run, so that no news of it is lost in between.
        attempt.bell.join(id, cx.waker());
        let status = match attempt.drive(&check.make, check.settings.timeout) {
            Drive::Pending => return Poll::Pending,
            Drive::Done(status) => status,
            Drive::Ended(status) => {
                check.ended(&status);
                attempt.bell.leave(*id);
                attempt.bell.ring();
                status
            }
        };
        *place = Place::Left;
        Poll::Ready(status)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let Place::Waits { attempt, id } = &self.place else { return };
        attempt.bell.leave(*id);
        if self.check.leave(attempt) {
            attempt.abandon();
        } else {
            // This one may have been woken to drive it on.
            attempt.bell.ring();
        }
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").finish_non_exhaustive()
    }
}
