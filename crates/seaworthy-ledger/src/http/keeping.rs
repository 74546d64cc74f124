//! A body on its way to the client, which is kept at the same time.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::{mem, thread};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;

use super::not_kept::NotKept;
use super::request_body::in_bytes;
use super::stored::Keep;
use crate::completion::Completion;

/// What its [`Watch`](super::watch::Watch) is told of a body.
pub(super) enum BodyEnd<B> {
    /// It is over. The client gets the rest when this is recorded, so that it never finds its own request outstanding.
    Recorded(Result<Completion, NotKept>, oneshot::Sender<()>),
    /// It failed, became too long, or nobody wants the rest.
    NotKept(NotKept),
    /// The client is gone; the rest is to be read all the same.
    Left { body: Pin<Box<B>>, keep: Keep },
}

const PATIENCE: u8 = 4;

/// Passes a body on.
pub(super) struct Keeping<B> {
    /// Until it has ended.
    body: Option<Pin<Box<B>>>,
    /// Until the watch has been told.
    keep: Option<(Keep, oneshot::Sender<BodyEnd<B>>)>,
    /// Read, and not given to the client yet.
    frames: VecDeque<Frame<Bytes>>,
    /// The client may take the last of these for the end.
    is_holding: bool,
    /// How often it is asked again for what may come after all that was announced, such as trailers.
    patience: u8,
    /// Ends when the end has been recorded.
    recorded: Option<oneshot::Receiver<()>>,
    runs_to_end: bool,
}

impl<B> Keeping<B> {
    pub(super) fn new(body: B, keep: Keep, runs_to_end: bool) -> (Box<Keeping<B>>, oneshot::Receiver<BodyEnd<B>>) {
        let (tell, told) = oneshot::channel();
        let is_holding = keep.has_all_announced();
        let keeping = Keeping {
            body: Some(Box::pin(body)),
            keep: Some((keep, tell)),
            frames: VecDeque::new(),
            is_holding,
            patience: PATIENCE,
            recorded: None,
            runs_to_end,
        };
        (Box::new(keeping), told)
    }

    fn end(&mut self, trailers: Option<&HeaderMap>) {
        self.is_holding = false;
        if let Some((keep, tell)) = self.keep.take() {
            let (record, recorded) = oneshot::channel();
            // Without a watch there is nothing to wait for: the other half is dropped.
            let _too_late = tell.send(BodyEnd::Recorded(keep.finish(trailers), record));
            self.recorded = Some(recorded);
        }
    }

    fn give_up(&mut self, reason: NotKept) {
        self.is_holding = false;
        if let Some((_, tell)) = self.keep.take() {
            let _too_late = tell.send(BodyEnd::NotKept(reason));
        }
    }

    fn push(&mut self, data: Bytes) {
        if let Some(Err(reason)) = self.keep.as_mut().map(|(keep, _)| keep.push(&data)) {
            self.give_up(reason);
        }
        let is_empty = data.is_empty();
        self.frames.push_back(Frame::data(data));
        let was_holding = self.is_holding;
        self.is_holding = self.keep.as_ref().is_some_and(|(keep, _)| keep.has_all_announced());
        // Chunks without data could go on for ever.
        if was_holding && self.is_holding && is_empty {
            self.lose_patience();
        }
    }

    /// Whether that was the last of it: then what is there is taken for the whole.
    fn lose_patience(&mut self) -> bool {
        self.patience = self.patience.saturating_sub(1);
        if self.patience == 0 {
            self.end(None);
        }
        self.patience == 0
    }
}

impl<B: Body> Keeping<B> {
    pub(super) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        loop {
            if let Some(recorded) = &mut self.recorded {
                let _recorded_or_too_late = ready!(Pin::new(recorded).poll(cx));
                self.recorded = None;
            }
            if !self.is_holding
                && let Some(frame) = self.frames.pop_front()
            {
                return Poll::Ready(Some(Ok(frame)));
            }
            let Some(body) = &mut self.body else { return Poll::Ready(None) };
            let frame = match body.as_mut().poll_frame(cx) {
                // All that was announced is there; the client does not wait for what may never come. But it may only be
                // that this task has had its share of the thread.
                Poll::Pending if self.is_holding => {
                    if self.lose_patience() {
                        continue;
                    }
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => {
                    self.body = None;
                    self.end(None);
                    continue;
                }
                Poll::Ready(Some(Err(error))) => {
                    self.body = None;
                    self.frames.clear();
                    self.give_up(NotKept::Failed);
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(Some(Ok(frame))) => in_bytes(frame),
            };
            let has_ended = body.is_end_stream();
            match frame.into_data() {
                Ok(data) => {
                    self.push(data);
                    if has_ended {
                        self.body = None;
                        self.end(None);
                    }
                }
                Err(frame) => {
                    self.end(frame.trailers_ref());
                    self.frames.push_back(frame);
                    if has_ended {
                        self.body = None;
                    }
                }
            }
        }
    }

    pub(super) fn is_end_stream(&self) -> bool {
        self.body.is_none() && self.frames.is_empty() && self.recorded.is_none()
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        let read: u64 = self.frames.iter().filter_map(Frame::data_ref).map(|data| data.len() as u64).sum();
        let rest = self.body.as_ref().map_or(SizeHint::with_exact(0), |body| body.size_hint());
        let mut hint = SizeHint::new();
        if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(read)) {
            hint.set_upper(upper);
        }
        hint.set_lower(rest.lower().saturating_add(read));
        hint
    }
}

impl<B> Drop for Keeping<B> {
    fn drop(&mut self) {
        let Some((keep, tell)) = self.keep.take() else { return };
        let end = match mem::take(&mut self.body) {
            // It is not asked for more.
            _ if thread::panicking() => BodyEnd::NotKept(NotKept::Panicked),
            Some(body) if self.runs_to_end => BodyEnd::Left { body, keep },
            _ => BodyEnd::NotKept(NotKept::ClientLeft),
        };
        let _too_late = tell.send(end);
    }
}
