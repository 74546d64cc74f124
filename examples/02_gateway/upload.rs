//! A request body on its way through, watched to know which side keeps the other waiting.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use hyper::body::{Frame, SizeHint};

/// The caller's body could not be read. Tells the caller's errors from the upstream's when the client returns them.
#[derive(Debug, thiserror::Error)]
#[error("the caller hung up")]
pub(crate) struct CallerBrokeOff(#[source] axum::Error);

/// Replaces the request's body with a watched one.
pub(crate) fn watch(request: Request) -> (Request, Upload) {
    let upload = Upload::default();
    let request = request.map(|body| Body::new(Watched { body, upload: upload.clone() }));
    (request, upload)
}

/// The progress of a request body.
#[derive(Clone, Default)]
pub(crate) struct Upload {
    awaited: Arc<AtomicBool>,
}

impl Upload {
    /// Whether the upstream would take more than the caller has sent.
    pub(crate) fn is_awaited(&self) -> bool {
        self.awaited.load(Ordering::Relaxed)
    }
}

struct Watched {
    body: Body,
    upload: Upload,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = CallerBrokeOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CallerBrokeOff>>> {
        let poll = Pin::new(&mut self.body).poll_frame(cx);
        self.upload.awaited.store(poll.is_pending(), Ordering::Relaxed);
        Poll::Ready(ready!(poll).map(|frame| frame.map_err(CallerBrokeOff)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
