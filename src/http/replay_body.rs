use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::replay::to_bytes;
use super::replay_store::{Given, Store};
use crate::error::BoxError;

/// The request body that [`HttpReplay`](super::HttpReplay) sends: the caller's, copied as it passes.
///
/// Once another attempt has begun, the body of the one before ends with an error, so that half a body is never taken
/// for a whole one.
pub struct ReplayBody<B>(ReplayRepr<B>);

enum ReplayRepr<B> {
    Empty,
    /// Sent once, and not kept.
    Once(B),
    Kept(AttemptBody<B>),
}

/// The body of one attempt.
struct AttemptBody<B> {
    store: Arc<Store<B>>,
    number: u64,
    /// Bytes of data that this attempt has yielded.
    given: u64,
    ended: bool,
}

/// The copy that is kept of a body, for further attempts. Dropping it means that there will be none.
pub(super) struct KeptBody<B>(Arc<Store<B>>);

impl<B> ReplayBody<B> {
    pub(super) fn empty() -> ReplayBody<B> {
        ReplayBody(ReplayRepr::Empty)
    }

    pub(super) fn once(body: B) -> ReplayBody<B> {
        ReplayBody(ReplayRepr::Once(body))
    }

    fn attempt(store: Arc<Store<B>>, number: u64) -> ReplayBody<B> {
        ReplayBody(ReplayRepr::Kept(AttemptBody { store, number, given: 0, ended: false }))
    }
}

impl<B: Body> ReplayBody<B> {
    /// The body of the first attempt, and the copy from which others are made.
    pub(super) fn keep(body: B, cap: u64) -> (ReplayBody<B>, KeptBody<B>) {
        let store = Arc::new(Store::new(body, cap));
        (ReplayBody::attempt(Arc::clone(&store), 0), KeptBody(store))
    }
}

impl<B> KeptBody<B> {
    /// Whether all of it is still available.
    pub(super) fn is_whole(&self) -> bool {
        self.0.is_whole()
    }

    /// Whether all of it is still available, and was read to its end or not at all.
    #[cfg(feature = "grpc")]
    pub(super) fn is_complete(&self) -> bool {
        self.0.is_complete()
    }

    /// The body of another attempt, if all of it is still available. The attempt before is over.
    pub(super) fn again(&self) -> Option<ReplayBody<B>> {
        let number = self.0.begin()?;
        Some(ReplayBody::attempt(Arc::clone(&self.0), number))
    }
}

impl<B> Drop for KeptBody<B> {
    fn drop(&mut self) {
        self.0.stop_keeping();
    }
}

impl<B> Body for ReplayBody<B>
where
    B: Body + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.get_mut().0 {
            ReplayRepr::Empty => Poll::Ready(None),
            ReplayRepr::Once(body) => Pin::new(body)
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map(|frame| frame.map_data(to_bytes)).map_err(Into::into))),
            ReplayRepr::Kept(attempt) => attempt.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            ReplayRepr::Empty => true,
            ReplayRepr::Once(body) => body.is_end_stream(),
            ReplayRepr::Kept(attempt) => attempt.ended,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            ReplayRepr::Empty => SizeHint::with_exact(0),
            ReplayRepr::Once(body) => body.size_hint(),
            ReplayRepr::Kept(attempt) => attempt.size_hint(),
        }
    }
}

impl<B> AttemptBody<B>
where
    B: Body + Unpin,
    B::Error: Into<BoxError>,
{
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.store.poll_frame(self.number, cx).map(|given| match given {
            Given::Frame { frame, last } => {
                self.given += frame.data_ref().map_or(0, |data| data.len() as u64);
                self.ended = last;
                Some(Ok(frame))
            }
            Given::End => {
                self.ended = true;
                None
            }
            Given::Error(error) => Some(Err(error)),
        })
    }

    /// The rest of the whole body's, which is the same for every attempt: an attempt with another length would be a
    /// different request.
    fn size_hint(&self) -> SizeHint {
        let whole = self.store.size_hint();
        let mut left = SizeHint::new();
        left.set_lower(whole.lower().saturating_sub(self.given));
        if let Some(upper) = whole.upper() {
            left.set_upper(upper.saturating_sub(self.given));
        }
        left
    }
}

/// An empty body.
impl<B> Default for ReplayBody<B> {
    fn default() -> ReplayBody<B> {
        ReplayBody::empty()
    }
}

impl<B> fmt::Debug for ReplayBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            ReplayRepr::Empty => "ReplayBody(empty)",
            ReplayRepr::Once(_) => "ReplayBody(sent once)",
            ReplayRepr::Kept(_) => "ReplayBody(kept)",
        })
    }
}

impl<B> fmt::Debug for KeptBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptBody").finish_non_exhaustive()
    }
}
