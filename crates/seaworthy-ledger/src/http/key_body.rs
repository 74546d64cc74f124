use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::keeping::Keeping;
use super::request_body::in_bytes;

pin_project! {
    /// The body of a response: the inner service's, passed on chunk by chunk while it is kept; one that was kept; or
    /// what the layer says itself.
    pub struct KeyBody<B> {
        #[pin]
        state: State<B>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<B> {
        Passed { #[pin] body: B },
        Keeping { keeping: Box<Keeping<B>> },
        Whole { data: Option<Bytes>, trailers: Option<HeaderMap> },
    }
}

impl<B> KeyBody<B> {
    pub(super) fn passed(body: B) -> KeyBody<B> {
        KeyBody { state: State::Passed { body } }
    }

    pub(super) fn keeping(keeping: Box<Keeping<B>>) -> KeyBody<B> {
        KeyBody { state: State::Keeping { keeping } }
    }

    pub(super) fn whole(data: Bytes, trailers: Option<HeaderMap>) -> KeyBody<B> {
        KeyBody { state: State::Whole { data: (!data.is_empty()).then_some(data), trailers } }
    }
}

impl<B: Body> Body for KeyBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().state.project() {
            StateProj::Passed { body } => Poll::Ready(ready!(body.poll_frame(cx)).map(|frame| frame.map(in_bytes))),
            StateProj::Keeping { keeping } => keeping.poll_frame(cx),
            StateProj::Whole { data, trailers } => {
                let frame = data.take().map(Frame::data).or_else(|| trailers.take().map(Frame::trailers));
                Poll::Ready(frame.map(Ok))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.state {
            State::Passed { body } => body.is_end_stream(),
            State::Keeping { keeping } => keeping.is_end_stream(),
            State::Whole { data, trailers } => data.is_none() && trailers.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Passed { body } => body.size_hint(),
            State::Keeping { keeping } => keeping.size_hint(),
            State::Whole { data, .. } => SizeHint::with_exact(data.as_ref().map_or(0, |data| data.len() as u64)),
        }
    }
}

/// An empty one.
impl<B> Default for KeyBody<B> {
    fn default() -> KeyBody<B> {
        KeyBody::whole(Bytes::new(), None)
    }
}

/// What it is, and nothing that is in it.
impl<B> fmt::Debug for KeyBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.state {
            State::Passed { .. } => "KeyBody::Passed",
            State::Keeping { .. } => "KeyBody::Keeping",
            State::Whole { .. } => "KeyBody::Whole",
        })
    }
}
