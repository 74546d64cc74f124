use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The response body of [`Respond`](super::Respond): the inner service's, or the text of a rejection.
    #[derive(Debug)]
    pub struct RespondBody<B> {
        #[pin]
        source: Source<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = SourceProj]
    enum Source<B> {
        Inner { #[pin] body: B },
        Rejection { text: &'static str },
    }
}

impl<B> RespondBody<B> {
    pub(super) fn inner(body: B) -> RespondBody<B> {
        RespondBody { source: Source::Inner { body } }
    }

    pub(super) fn rejection(text: &'static str) -> RespondBody<B> {
        RespondBody { source: Source::Rejection { text } }
    }
}

/// An empty body.
impl<B> Default for RespondBody<B> {
    fn default() -> RespondBody<B> {
        RespondBody::rejection("")
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
            SourceProj::Inner { body } => body.poll_frame(cx),
            SourceProj::Rejection { text } => {
                let text = std::mem::take(text);
                let frame = (!text.is_empty()).then(|| Ok(Frame::data(Bytes::from_static(text.as_bytes()).into())));
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Inner { body } => body.is_end_stream(),
            Source::Rejection { text } => text.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Inner { body } => body.size_hint(),
            Source::Rejection { text } => SizeHint::with_exact(text.len() as u64),
        }
    }
}
