use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Body, Frame, SizeHint};

use super::replay::to_bytes;
use crate::error::BoxError;
use crate::rt::panic::wake_all;
use crate::rt::sync::{Mutex, MutexGuard};

/// A body that several attempts read, one after the other: what one has read is kept for the next.
///
/// An attempt's body can outlive the attempt, in a connection's task, and be polled while the next attempt's is. So the
/// source is lent, outside the lock, to the body that is polled; another one that is polled meanwhile waits until the
/// source is back. A frame that comes too late for its attempt is kept for the current one.
pub(super) struct Store<B> {
    state: Mutex<StoreState<B>>,
    /// The hint of the whole body.
    size: SizeHint,
    cap: u64,
}

struct StoreState<B> {
    source: ReplaySource<B>,
    /// The frames from the source so far, from the beginning for as long as more attempts can follow.
    kept: Vec<Kept>,
    /// How many of them the current attempt has got.
    got: usize,
    /// The cost of all frames from the source so far.
    cost: u64,
    /// Whether another attempt can follow.
    keeping: bool,
    /// The number of the current attempt.
    attempt: u64,
    /// The task that reads for the current attempt, if it waits.
    reader: Option<Waker>,
}

enum ReplaySource<B> {
    Here(B),
    Lent,
    Ended,
    /// It returned an error or panicked.
    Failed,
}

enum Kept {
    Data(Bytes),
    Trailers(Box<HeaderMap>),
}

/// What to keep of a frame.
enum Copy {
    Kept(Kept),
    /// The frame is empty: another attempt is the same without it.
    Nothing,
    /// A frame that is neither data nor trailers cannot be kept.
    Impossible,
}

/// The cost of a frame on top of its data: its place in the list, which may be twice as long as needed. A field of
/// trailers costs as much on top of its text.
pub(super) const FRAME_COST: u64 = 64;

/// What an attempt gets from a poll.
pub(super) enum Given {
    Frame { frame: Frame<Bytes>, last: bool },
    End,
    Error(BoxError),
}

#[derive(Debug, thiserror::Error)]
enum ReplayError {
    #[error("another attempt has begun")]
    Superseded,
    #[error("the request body failed in an earlier attempt")]
    Failed,
}

impl Kept {
    fn again(&self) -> Frame<Bytes> {
        match self {
            Kept::Data(data) => Frame::data(data.clone()),
            Kept::Trailers(trailers) => Frame::trailers((**trailers).clone()),
        }
    }

    fn cost(&self) -> u64 {
        let field = |name: &HeaderName, value: &HeaderValue| (name.as_str().len() + value.len()) as u64 + FRAME_COST;
        FRAME_COST
            + match self {
                Kept::Data(data) => data.len() as u64,
                Kept::Trailers(trailers) => trailers.iter().map(|(name, value)| field(name, value)).sum(),
            }
    }
}

impl Copy {
    fn of(frame: &Frame<Bytes>) -> Copy {
        match (frame.data_ref(), frame.trailers_ref()) {
            (Some(data), _) if data.is_empty() => Copy::Nothing,
            (Some(data), _) => Copy::Kept(Kept::Data(data.clone())),
            (None, Some(trailers)) => Copy::Kept(Kept::Trailers(Box::new(trailers.clone()))),
            (None, None) => Copy::Impossible,
        }
    }

    fn cost(&self) -> u64 {
        match self {
            Copy::Kept(kept) => kept.cost(),
            Copy::Nothing | Copy::Impossible => 0,
        }
    }
}

impl<B> StoreState<B> {
    /// Whether all of the body is still available, from the beginning.
    fn is_whole(&self) -> bool {
        self.keeping && !matches!(self.source, ReplaySource::Failed)
    }

    /// Whether all of the body is still available, and the source was read to its end or has yielded nothing yet.
    #[cfg(feature = "grpc")]
    fn is_complete(&self) -> bool {
        let is_unread = matches!(self.source, ReplaySource::Here(_)) && self.kept.is_empty();
        self.is_whole() && (is_unread || matches!(self.source, ReplaySource::Ended))
    }

    /// Whether the current attempt has got everything.
    fn is_at_end(&self) -> bool {
        self.got == self.kept.len() && matches!(self.source, ReplaySource::Ended)
    }

    /// Counts a frame from the source. Once the total exceeds the cap, nothing is kept for another attempt.
    fn count(&mut self, copy: &Copy, cap: u64) {
        self.cost = self.cost.saturating_add(copy.cost());
        self.keeping &= !matches!(copy, Copy::Impossible) && self.cost <= cap;
    }

    /// Takes out the frames that will not be asked for again, to be dropped outside the lock.
    #[must_use]
    fn forget(&mut self) -> Vec<Kept> {
        if self.keeping || self.got < self.kept.len() {
            return Vec::new();
        }
        self.got = 0;
        std::mem::take(&mut self.kept)
    }
}

impl<B> Store<B> {
    pub(super) fn size_hint(&self) -> &SizeHint {
        &self.size
    }

    pub(super) fn is_whole(&self) -> bool {
        self.state.lock().is_whole()
    }

    #[cfg(feature = "grpc")]
    pub(super) fn is_complete(&self) -> bool {
        self.state.lock().is_complete()
    }

    /// Begins another attempt, if all of the body is still available; the one before is over.
    pub(super) fn begin(&self) -> Option<u64> {
        let mut state = self.state.lock();
        if !state.is_whole() {
            return None;
        }
        state.attempt += 1;
        state.got = 0;
        let (number, superseded) = (state.attempt, state.reader.take());
        drop(state);
        // It waits for a source that it no longer owns.
        wake_all(superseded);
        Some(number)
    }

    /// No other attempt will follow.
    pub(super) fn stop_keeping(&self) {
        let mut state = self.state.lock();
        state.keeping = false;
        let gone = state.forget();
        drop(state);
        drop(gone);
    }

    /// The source yielded a frame to an attempt that is over. The next attempt has to get it, whatever the cap.
    fn too_late(&self, mut state: MutexGuard<'_, StoreState<B>>, copy: Copy) -> Given {
        let mut lost = None;
        state.count(&copy, self.cap);
        match copy {
            Copy::Kept(kept) => state.kept.push(kept),
            Copy::Nothing => {}
            Copy::Impossible => lost = Some(std::mem::replace(&mut state.source, ReplaySource::Failed)),
        }
        let reader = state.reader.take();
        drop(state);
        drop(lost);
        wake_all(reader);
        Given::Error(ReplayError::Superseded.into())
    }
}

impl<B: Body> Store<B> {
    pub(super) fn new(source: B, cap: u64) -> Store<B> {
        let size = source.size_hint();
        let state = StoreState {
            source: ReplaySource::Here(source),
            kept: Vec::new(),
            got: 0,
            cost: 0,
            keeping: true,
            attempt: 0,
            reader: None,
        };
        Store { state: Mutex::new(state), size, cap }
    }
}

impl<B> Store<B>
where
    B: Body + Unpin,
    B::Error: Into<BoxError>,
{
    /// The next frame for the attempt with this number.
    pub(super) fn poll_frame(&self, number: u64, cx: &mut Context<'_>) -> Poll<Given> {
        let mut waker = None;
        loop {
            let mut state = self.state.lock();
            if state.attempt != number {
                return Poll::Ready(Given::Error(ReplayError::Superseded.into()));
            }
            if let Some(kept) = state.kept.get(state.got) {
                let frame = kept.again();
                state.got += 1;
                let last = state.is_at_end();
                let gone = state.forget();
                drop(state);
                drop(gone);
                return Poll::Ready(Given::Frame { frame, last });
            }
            match std::mem::replace(&mut state.source, ReplaySource::Lent) {
                ReplaySource::Here(source) => {
                    drop(state);
                    return self.poll_source(source, number, cx);
                }
                ReplaySource::Ended => {
                    state.source = ReplaySource::Ended;
                    return Poll::Ready(Given::End);
                }
                ReplaySource::Failed => {
                    state.source = ReplaySource::Failed;
                    return Poll::Ready(Given::Error(ReplayError::Failed.into()));
                }
                ReplaySource::Lent if waker.is_some() => {
                    let replaced = std::mem::replace(&mut state.reader, waker);
                    drop(state);
                    drop(replaced);
                    return Poll::Pending;
                }
                // A waker is cloned outside the lock; then the state is checked again.
                ReplaySource::Lent => waker = Some(cx.waker().clone()),
            }
        }
    }

    fn poll_source(&self, mut source: B, number: u64, cx: &mut Context<'_>) -> Poll<Given> {
        let fuse = FailStoreOnUnwind(Some(self));
        let poll = Pin::new(&mut source).poll_frame(cx).map_ok(|frame| frame.map_data(to_bytes));
        let ended = match &poll {
            Poll::Ready(Some(Ok(_))) => source.is_end_stream(),
            Poll::Ready(None) => true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => false,
        };
        fuse.disarm();

        // Foreign code runs outside the lock.
        let waker = poll.is_pending().then(|| cx.waker().clone());
        let copy = match &poll {
            Poll::Ready(Some(Ok(frame))) => Copy::of(frame),
            _ => Copy::Nothing,
        };
        let back = match &poll {
            Poll::Ready(Some(Err(_))) => ReplaySource::Failed,
            _ if ended => ReplaySource::Ended,
            _ => ReplaySource::Here(source),
        };

        let mut state = self.state.lock();
        state.source = back;
        if state.attempt != number {
            return Poll::Ready(self.too_late(state, copy));
        }
        match poll {
            Poll::Pending => {
                let replaced = std::mem::replace(&mut state.reader, waker);
                drop(state);
                drop(replaced);
                Poll::Pending
            }
            Poll::Ready(None) => Poll::Ready(Given::End),
            Poll::Ready(Some(Err(error))) => {
                drop(state);
                Poll::Ready(Given::Error(error.into()))
            }
            Poll::Ready(Some(Ok(frame))) => {
                state.count(&copy, self.cap);
                let mut not_kept = None;
                match copy {
                    Copy::Kept(kept) if state.keeping => {
                        state.kept.push(kept);
                        state.got += 1;
                    }
                    copy => not_kept = Some(copy),
                }
                let gone = state.forget();
                let last = state.is_at_end();
                drop(state);
                drop((not_kept, gone));
                Poll::Ready(Given::Frame { frame, last })
            }
        }
    }
}

/// A source that panics is lost; an attempt that waits for it gets an error.
struct FailStoreOnUnwind<'a, B>(Option<&'a Store<B>>);

impl<B> FailStoreOnUnwind<'_, B> {
    /// There was no panic.
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl<B> Drop for FailStoreOnUnwind<'_, B> {
    fn drop(&mut self) {
        if let Some(store) = self.0.take() {
            let mut state = store.state.lock();
            state.source = ReplaySource::Failed;
            let reader = state.reader.take();
            drop(state);
            wake_all(reader);
        }
    }
}
