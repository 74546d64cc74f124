use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};

use super::answer::{self, SHUTTING_DOWN};
use super::message::ServingStatus;
use super::watcher::{WatchStep, Watcher};

/// The response body of [`GrpcHealthService`](super::GrpcHealthService): one message and the status for a `Check`, a
/// message for each change for a `Watch`, and nothing where the status is in the head.
///
/// # Panics
/// A `Watch` of a service with checks has to wait for time to pass, which it cannot outside a tokio runtime with time
/// enabled.
pub struct GrpcHealthBody(BodyStage);

enum BodyStage {
    Message(ServingStatus),
    Watch(Box<Watcher>),
    Trailers(HeaderMap),
    Ended,
}

impl GrpcHealthBody {
    pub(super) fn empty() -> GrpcHealthBody {
        GrpcHealthBody(BodyStage::Ended)
    }

    /// One message, and success.
    pub(super) fn message(status: ServingStatus) -> GrpcHealthBody {
        GrpcHealthBody(BodyStage::Message(status))
    }

    pub(super) fn watch(watcher: Watcher) -> GrpcHealthBody {
        GrpcHealthBody(BodyStage::Watch(Box::new(watcher)))
    }
}

impl Body for GrpcHealthBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = match &mut self.0 {
            BodyStage::Message(status) => {
                let message = status.framed();
                self.0 = BodyStage::Trailers(answer::success());
                Frame::data(message)
            }
            BodyStage::Watch(watcher) => match ready!(watcher.poll(cx)) {
                WatchStep::Send(status) => Frame::data(status.framed()),
                WatchStep::End => {
                    // With the watcher, so that its place is free.
                    self.0 = BodyStage::Ended;
                    Frame::trailers(SHUTTING_DOWN.headers())
                }
            },
            BodyStage::Trailers(trailers) => {
                let trailers = std::mem::take(trailers);
                self.0 = BodyStage::Ended;
                Frame::trailers(trailers)
            }
            BodyStage::Ended => return Poll::Ready(None),
        };
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.0, BodyStage::Ended)
    }
}

impl fmt::Debug for GrpcHealthBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match self.0 {
            BodyStage::Message(_) => "message",
            BodyStage::Watch(_) => "watch",
            BodyStage::Trailers(_) => "trailers",
            BodyStage::Ended => "ended",
        };
        f.debug_struct("GrpcHealthBody").field("stage", &stage).finish()
    }
}
