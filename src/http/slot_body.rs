use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::Slot;

pin_project! {
    /// A response body that holds a slot of a bulkhead until it has ended: after its last frame, at an error, or when
    /// it is dropped. The frames, trailers and errors are the inner body's.
    #[derive(Debug)]
    pub struct SlotBody<B> {
        // In this order, so that the slot is given back after the body was dropped.
        #[pin]
        body: B,
        // Absent while the body is polled, so that a panic gives it back at once.
        slot: Option<Slot>,
    }
}

impl<B: Body> SlotBody<B> {
    pub(super) fn new(body: B, slot: Option<Slot>) -> SlotBody<B> {
        // Nobody has to poll a body that is over, and then its owner may keep it for a while.
        let slot = slot.filter(|_| !body.is_end_stream());
        SlotBody { body, slot }
    }
}

impl<B: Body> Body for SlotBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let held = this.slot.take();
        let poll = this.body.as_mut().poll_frame(cx);
        let goes_on = match &poll {
            Poll::Pending => true,
            Poll::Ready(Some(Ok(_))) => !this.body.is_end_stream(),
            Poll::Ready(Some(Err(_)) | None) => false,
        };
        if goes_on {
            *this.slot = held;
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
