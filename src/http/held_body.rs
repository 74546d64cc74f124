use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::admission::Admission;
use crate::admission::call::AdmissionCall;
use crate::admission::classify::Classify;
use crate::admission::late::PollLate;
use crate::bulkhead::Permit;
use crate::error::StackError;
use crate::health::InFlight;

pin_project! {
    /// A response body that holds something until it ends: after its last frame, at an error, or when it is dropped.
    /// Frames, trailers and errors are the inner body's.
    #[derive(Debug)]
    pub struct HeldBody<B, H> {
        // In this order, so that `held` is released after the body is dropped.
        #[pin]
        body: B,
        // None while the body is polled, so that a panic releases it at once.
        held: Option<H>,
    }
}

/// The response body of [`BodyBulkheadService`](super::BodyBulkheadService), which holds a permit.
pub type PermitBody<B> = HeldBody<B, Permit>;

/// The response body of [`BodyReadinessService`](super::BodyReadinessService); its request is in flight until it ends.
pub type InFlightBody<B> = HeldBody<B, InFlight>;

/// Polls a call that, if it succeeds, goes on until its body has ended: it is neither released nor settled, and
/// `finish` gets what it holds.
#[inline(always)]
pub(super) fn poll_held<A, F, L, C, T, E, U>(
    call: Pin<&mut AdmissionCall<A, F, L, C>>,
    cx: &mut Context<'_>,
    finish: impl FnOnce(T, Option<(A, A::Ticket)>) -> U,
) -> Poll<Result<U, E>>
where
    A: Admission,
    F: Future<Output = Result<T, E>>,
    L: PollLate<A, F, E>,
    C: Classify<T, E>,
    E: StackError,
{
    let mut kept = None;
    let poll = call.poll_keeping(cx, &mut kept);
    poll.map_ok(|response| finish(response, kept.map(|kept| (kept.admission, kept.ticket))))
}

impl<B: Body, H> HeldBody<B, H> {
    pub(crate) fn new(body: B, held: Option<H>) -> HeldBody<B, H> {
        // A body that has ended need not be polled, and its owner may keep it for a while.
        let held = held.filter(|_| !body.is_end_stream());
        HeldBody { body, held }
    }
}

impl<B: Body, H> Body for HeldBody<B, H> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let held = this.held.take();
        let poll = this.body.as_mut().poll_frame(cx);
        let goes_on = match &poll {
            Poll::Pending => true,
            Poll::Ready(Some(Ok(_))) => !this.body.is_end_stream(),
            Poll::Ready(Some(Err(_)) | None) => false,
        };
        if goes_on {
            *this.held = held;
        }
        poll
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
