use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

/// The response body made by [`response_of`](super::response_of): a few bytes of JSON.
#[derive(Clone, Debug)]
pub struct RejectionBody(&'static str);

impl RejectionBody {
    pub(super) fn new(text: &'static str) -> RejectionBody {
        RejectionBody(text)
    }
}

impl Body for RejectionBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let text = std::mem::take(&mut self.0);
        Poll::Ready((!text.is_empty()).then(|| Ok(Frame::data(Bytes::from_static(text.as_bytes())))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}

pin_project! {
    /// The response body of [`RespondService`](super::RespondService): the inner service's, or the text for a
    /// rejection.
    #[derive(Debug)]
    pub struct RespondBody<B> {
        #[pin]
        source: BodySource<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = BodySourceProj]
    enum BodySource<B> {
        Inner { #[pin] body: B },
        Rejection { body: RejectionBody },
    }
}

impl<B> RespondBody<B> {
    pub(super) fn inner(body: B) -> RespondBody<B> {
        RespondBody { source: BodySource::Inner { body } }
    }

    pub(super) fn rejection(body: RejectionBody) -> RespondBody<B> {
        RespondBody { source: BodySource::Rejection { body } }
    }
}

/// An empty body.
impl<B> Default for RespondBody<B> {
    fn default() -> RespondBody<B> {
        RespondBody::rejection(RejectionBody(""))
    }
}

impl<B> Body for RespondBody<B>
where
    B: Body,
    B::Data: From<Bytes>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.project().source.project() {
            BodySourceProj::Inner { body } => body.poll_frame(cx),
            BodySourceProj::Rejection { body } => Pin::new(body).poll_frame(cx).map(|frame| {
                let Ok(frame) = frame?;
                Some(Ok(frame.map_data(Into::into)))
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            BodySource::Inner { body } => body.is_end_stream(),
            BodySource::Rejection { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            BodySource::Inner { body } => body.size_hint(),
            BodySource::Rejection { body } => body.size_hint(),
        }
    }
}
