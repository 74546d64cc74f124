use http::Request;
use http_body::Body;

use super::methods::GrpcMethods;
use crate::error::BoxError;
use crate::http::replay::{DEFAULT_MAX_BODY, KeptRequest};
use crate::http::replay_body::ReplayBody;
use crate::retry::Replay;

/// Allows a retry for gRPC requests whose method is named, and sends all others once.
///
/// A message is copied while the first attempt sends it, up to 64 KiB unless set otherwise, and sent again if all of
/// the request was there when the attempt ended, or none of it had been read. A request that is larger, or still being
/// streamed, is sent once. What a copy costs is said at [`HttpReplay`](crate::http::HttpReplay).
///
/// # Clone
/// Costs a reference count, if any method is named.
#[derive(Clone, Debug)]
pub struct GrpcReplay {
    methods: GrpcMethods,
    max_body: u64,
}

impl GrpcReplay {
    /// Repeats calls of these methods, and keeps up to 64 KiB of a request.
    #[must_use]
    pub const fn new(methods: GrpcMethods) -> GrpcReplay {
        GrpcReplay { methods, max_body: DEFAULT_MAX_BODY }
    }

    /// Keeps up to this many bytes of a request, as [`HttpReplay::max_body`](crate::http::HttpReplay::max_body) counts
    /// them. At zero, only requests without a body are repeated.
    #[must_use]
    pub fn max_body(self, bytes: u64) -> GrpcReplay {
        GrpcReplay { max_body: bytes, ..self }
    }
}

impl<B> Replay<Request<B>> for GrpcReplay
where
    B: Body + Unpin,
    B::Error: Into<BoxError>,
{
    type Sent = Request<ReplayBody<B>>;
    type Kept = KeptRequest<B>;

    fn keep(&self, request: Request<B>) -> (Self::Sent, Option<KeptRequest<B>>) {
        KeptRequest::of(request, self.max_body, |head| self.methods.contains(head.uri.path()))
    }

    fn again(&self, kept: &KeptRequest<B>) -> Option<Self::Sent> {
        if kept.is_complete() { kept.again() } else { None }
    }

    fn is_possible(&self, kept: &KeptRequest<B>) -> bool {
        kept.is_complete()
    }

    fn once(&self, request: Request<B>) -> Self::Sent {
        request.map(ReplayBody::once)
    }
}
