use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, Request};
use http_body::Body;

use super::replay_body::{KeptBody, ReplayBody};
use crate::BoxError;
use crate::retry::Replay;

/// Repeats HTTP requests of an idempotent method (GET, HEAD, OPTIONS, TRACE, PUT, DELETE) or with an `Idempotency-Key`,
/// and sends all others once.
///
/// A body is not read ahead: it is kept while the first attempt sends it, up to a cap of 64 KiB unless set otherwise. If
/// an attempt ends halfway, the next one gets what was kept, and then the rest. A request whose body is larger, or whose
/// body failed, is not repeated; the attempt that is under way goes on undisturbed.
///
/// Headers, extensions and the method are cloned. A body that is known to be empty, and one of a request that is sent
/// once, costs nothing; another costs one allocation and a list of its frames.
#[derive(Clone, Copy, Debug)]
pub struct HttpReplay {
    max_body: u64,
}

const DEFAULT_MAX_BODY: u64 = 64 * 1024;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

impl HttpReplay {
    /// Keeps up to 64 KiB of a body.
    #[must_use]
    pub const fn new() -> HttpReplay {
        HttpReplay { max_body: DEFAULT_MAX_BODY }
    }

    /// Keeps up to so many bytes of a body, trailers included. At zero, only requests without a body are repeated.
    #[must_use]
    pub const fn max_body(self, bytes: u64) -> HttpReplay {
        HttpReplay { max_body: bytes }
    }
}

impl Default for HttpReplay {
    fn default() -> HttpReplay {
        HttpReplay::new()
    }
}

/// What is kept of a request to send it again.
#[derive(Debug)]
pub struct KeptRequest<B> {
    head: Parts,
    /// Absent if it was empty.
    body: Option<KeptBody<B>>,
}

impl<B> Replay<Request<B>> for HttpReplay
where
    B: Body + Unpin,
    B::Error: Into<BoxError>,
{
    type Sent = Request<ReplayBody<B>>;
    type Kept = KeptRequest<B>;

    fn keep(&self, request: Request<B>) -> (Self::Sent, Option<KeptRequest<B>>) {
        let (head, body) = request.into_parts();
        if !may_be_repeated(&head) || body.size_hint().lower() > self.max_body {
            return (Request::from_parts(head, ReplayBody::once(body)), None);
        }
        let (body, kept) = if body.is_end_stream() {
            (ReplayBody::empty(), None)
        } else {
            let (body, kept) = ReplayBody::keep(body, self.max_body);
            (body, Some(kept))
        };
        let kept = KeptRequest { head: head.clone(), body: kept };
        (Request::from_parts(head, body), Some(kept))
    }

    fn again(&self, kept: &KeptRequest<B>) -> Option<Self::Sent> {
        let body = match &kept.body {
            Some(body) => body.again()?,
            None => ReplayBody::empty(),
        };
        Some(Request::from_parts(kept.head.clone(), body))
    }

    fn is_possible(&self, kept: &KeptRequest<B>) -> bool {
        kept.body.as_ref().is_none_or(KeptBody::is_whole)
    }

    fn once(&self, request: Request<B>) -> Self::Sent {
        request.map(ReplayBody::once)
    }
}

fn may_be_repeated(head: &Parts) -> bool {
    head.method.is_idempotent() || head.headers.get(IDEMPOTENCY_KEY).is_some_and(|key| !key.is_empty())
}

/// As a frame's data is kept: shared with the one that was sent, if the body's data is [`Bytes`].
pub(super) fn to_bytes(mut data: impl bytes::Buf) -> Bytes {
    data.copy_to_bytes(data.remaining())
}
