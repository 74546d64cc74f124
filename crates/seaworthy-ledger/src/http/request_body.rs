use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::problem::Problem;

pin_project! {
    /// The body that the inner service gets: the client's own, or what was read of it for the fingerprint, which is
    /// all.
    #[derive(Debug)]
    pub struct RequestBody<B> {
        #[pin]
        state: State<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = StateProj]
    enum State<B> {
        Passed { #[pin] body: B },
        Read { data: Option<Bytes>, trailers: Option<HeaderMap> },
    }
}

impl<B> RequestBody<B> {
    pub(super) fn passed(body: B) -> RequestBody<B> {
        RequestBody { state: State::Passed { body } }
    }

    /// What was read of it. Nothing, if it was not.
    pub(super) fn data(&self) -> Bytes {
        match &self.state {
            State::Read { data: Some(data), .. } => data.clone(),
            State::Read { data: None, .. } | State::Passed { .. } => Bytes::new(),
        }
    }

    /// Reads all of it, unless that is more than `limit` bytes. Of one that says so beforehand nothing is read, so that
    /// a client that waits for `100 Continue` never sends it.
    pub(super) async fn read(body: B, limit: usize) -> Result<RequestBody<B>, Problem>
    where
        B: Body,
    {
        if body.size_hint().lower() > limit as u64 {
            return Err(Problem::TooLarge);
        }
        let mut body = pin!(body);
        let mut whole = Bytes::new();
        let mut trailers = None;
        // From the second chunk on, so that one alone is not copied.
        let mut joined = BytesMut::new();
        while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
            let frame = frame.map_err(|_error| Problem::Unreadable)?;
            match frame.into_data() {
                Ok(mut data) => {
                    if data.remaining() > limit - whole.len() - joined.len() {
                        return Err(Problem::TooLarge);
                    }
                    let data = data.copy_to_bytes(data.remaining());
                    if whole.is_empty() && joined.is_empty() {
                        whole = data;
                    } else {
                        joined.extend_from_slice(&std::mem::take(&mut whole));
                        joined.extend_from_slice(&data);
                    }
                }
                Err(frame) => trailers = frame.into_trailers().ok(),
            }
        }
        let whole = if joined.is_empty() { whole } else { joined.freeze() };
        Ok(RequestBody { state: State::Read { data: (!whole.is_empty()).then_some(whole), trailers } })
    }
}

impl<B: Body> Body for RequestBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().state.project() {
            StateProj::Passed { body } => Poll::Ready(ready!(body.poll_frame(cx)).map(|frame| frame.map(in_bytes))),
            StateProj::Read { data, trailers } => {
                let frame = data.take().map(Frame::data).or_else(|| trailers.take().map(Frame::trailers));
                Poll::Ready(frame.map(Ok))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.state {
            State::Passed { body } => body.is_end_stream(),
            State::Read { data, trailers } => data.is_none() && trailers.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Passed { body } => body.size_hint(),
            State::Read { data, .. } => SizeHint::with_exact(data.as_ref().map_or(0, |data| data.len() as u64)),
        }
    }
}

/// Its data is shared, and not copied, if it is `Bytes`.
pub(super) fn in_bytes<D: Buf>(frame: Frame<D>) -> Frame<Bytes> {
    frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))
}
