//! The body of a request on its way through, watched to know who keeps whom waiting.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use hyper::body::{Frame, SizeHint};

/// The caller's body could not be read. By this the caller's errors are told from the upstream's when the client gives
/// them back.
#[derive(Debug, thiserror::Error)]
#[error("the caller broke off")]
pub(crate) struct CallerBrokeOff(#[source] axum::Error);

/// Puts a watched body in the place of the request's own.
pub(crate) fn watch(request: Request) -> (Request, Upload) {
    let upload = Upload::default();
    let request = request.map(|body| Body::new(Watched { body, upload: upload.clone() }));
    (request, upload)
}

/// How it stands with the body of a request.
#[derive(Clone, Default)]
pub(crate) struct Upload {
    awaited: Arc<AtomicBool>,
}

impl Upload {
    /// Whether the upstream would take more, and the caller has not sent it.
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
