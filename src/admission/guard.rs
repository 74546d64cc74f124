use std::task::{Context, Poll};

use super::{Admission, Admitted};
use crate::context;
use crate::machine::verdict::Verdict;

/// Gives back a ticket while the call is being made or polled: if that panics, the call has failed. An executor may
/// catch the panic and drop the future only later, when the thread is no longer unwinding.
pub(crate) struct UnwindGuard<'a, A: Admission>(pub(crate) &'a A, pub(crate) &'a A::Ticket);

impl<A: Admission> UnwindGuard<'_, A> {
    /// There was no panic.
    #[inline(always)]
    pub(crate) fn disarm(self) {
        std::mem::forget(self);
    }
}

impl<A: Admission> Drop for UnwindGuard<'_, A> {
    #[cold]
    #[inline(never)]
    fn drop(&mut self) {
        self.0.release(self.1);
        self.0.settle(self.1, Verdict::Failure);
    }
}

/// The same for a call that has been released and is being judged.
pub(super) struct JudgeGuard<'a, A: Admission>(pub(super) &'a A, pub(super) &'a A::Ticket);

impl<A: Admission> JudgeGuard<'_, A> {
    #[inline(always)]
    pub(super) fn disarm(self) {
        std::mem::forget(self);
    }
}

impl<A: Admission> Drop for JudgeGuard<'_, A> {
    #[cold]
    #[inline(never)]
    fn drop(&mut self) {
        self.0.settle(self.1, Verdict::Failure);
    }
}

/// Releases a ticket when dropped: after whatever is dropped before it, even if that panics.
pub(super) struct ReleaseGuard<'a, A: Admission>(pub(super) &'a A, pub(super) A::Ticket);

impl<A: Admission> Drop for ReleaseGuard<'_, A> {
    fn drop(&mut self) {
        self.0.release(&self.1);
    }
}

/// Waits for a ticket; gives up the place in the queue if that panics.
pub(crate) fn poll_admit<A: Admission>(
    admission: &A,
    scope: A::Scope,
    place: &mut A::Waiting,
    cx: &mut Context<'_>,
) -> Poll<Admitted<A>> {
    let guard = LeaveGuard(admission, place);
    let mut answer = admission.poll_admit(scope, guard.1, cx);
    std::mem::forget(guard);
    if let Poll::Ready(Ok(ticket)) = &mut answer {
        if let Some(check) = context::check_deadline() {
            admission.started(ticket, check.now);
        }
    }
    answer
}

struct LeaveGuard<'a, A: Admission>(&'a A, &'a mut A::Waiting);

impl<A: Admission> Drop for LeaveGuard<'_, A> {
    fn drop(&mut self) {
        self.0.leave(self.1);
    }
}
