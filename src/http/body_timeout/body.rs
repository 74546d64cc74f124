use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::watch::BodyWatch;
use crate::error::BoxError;

pin_project! {
    /// A body with limits: the response body of [`BodyTimeoutService`](super::BodyTimeoutService).
    ///
    /// Frames, trailers, the size hint and the end pass unchanged. When a limit is over, the poll that notices it drops
    /// the inner body and returns the error, and the body has ended.
    ///
    /// The inner body is polled first, so that a frame that is there is not lost to the idle limit, nor to the call's
    /// deadline. Once the total time is over, the end and the trailers of a complete body still pass, and so does a
    /// frame that is known to be the last; a frame with more to come does not.
    ///
    /// # Panics
    /// It needs tokio's timer: where there is a limit and no frame, polling it panics outside a runtime with time
    /// enabled.
    #[derive(Debug)]
    pub struct TimeoutBody<B> {
        // None once it was dropped for a limit.
        #[pin]
        inner: Option<B>,
        watch: BodyWatch,
    }
}

impl<B> TimeoutBody<B> {
    pub(super) fn new(inner: B, watch: BodyWatch) -> TimeoutBody<B> {
        TimeoutBody { inner: Some(inner), watch }
    }
}

/// The default body of the inner type, without limits.
impl<B: Default> Default for TimeoutBody<B> {
    fn default() -> TimeoutBody<B> {
        TimeoutBody::new(B::default(), BodyWatch::without_limits())
    }
}

impl<B> Body for TimeoutBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        let mut this = self.project();
        let Some(mut inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        let over = match inner.as_mut().poll_frame(cx) {
            Poll::Pending => ready!(this.watch.poll(cx)),
            Poll::Ready(Some(result)) => {
                this.watch.stop_waiting();
                let may_be_cut = result.as_ref().is_ok_and(Frame::is_data) && !inner.is_end_stream();
                match may_be_cut.then(|| this.watch.total_over()).flatten() {
                    Some(over) => over,
                    None => return Poll::Ready(Some(result.map_err(Into::into))),
                }
            }
            Poll::Ready(None) => {
                this.watch.end();
                return Poll::Ready(None);
            }
        };
        this.inner.set(None);
        Poll::Ready(Some(Err(this.watch.give_up(over).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
