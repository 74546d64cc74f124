use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Response};

use super::message::{GRPC_MESSAGE, message, words};
use super::pushback::{PUSHBACK, pushback_of};
use super::status::GRPC_STATUS;
use crate::error::Rejected;
use crate::grpc::code::Code;
use crate::http::answer::{ByStatus, RejectionResponse};
use crate::http::body::RespondBody;

/// The code with which a rejection is answered, unless a [`GrpcRespondLayer`](super::GrpcRespondLayer) sets another.
///
/// | rejection | code | `grpc-retry-pushback-ms` |
/// |---|---|---|
/// | [`Rejected::CircuitOpen`] | 14 UNAVAILABLE | -1: do not retry |
/// | [`Rejected::BulkheadFull`] | 8 RESOURCE_EXHAUSTED | its [`retry_after`](Rejected::retry_after), where known |
/// | [`Rejected::NotReady`] | 14 UNAVAILABLE | its [`retry_after`](Rejected::retry_after), where known |
/// | [`Rejected::TimedOut`] | 4 DEADLINE_EXCEEDED | none |
/// | [`Rejected::DeadlineExceeded`] | 4 DEADLINE_EXCEEDED | -1: do not retry |
/// | [`Rejected::Withdrawn`] | 14 UNAVAILABLE | -1: do not retry, because part of it may be done |
///
/// [`http::status_of`](crate::http::status_of) is the same for HTTP.
///
/// ```
/// use seaworthy::Bulkhead;
/// use seaworthy::http::grpc::{Code, grpc_status_of};
///
/// let bulkhead = Bulkhead::builder("work").limit(1).build()?;
/// let _permit = bulkhead.try_acquire();
/// assert_eq!(bulkhead.try_acquire().err().as_ref().map(grpc_status_of), Some(Code::ResourceExhausted));
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
#[must_use]
pub fn grpc_status_of(rejected: &Rejected) -> Code {
    match rejected {
        Rejected::CircuitOpen { .. } | Rejected::NotReady { .. } | Rejected::Withdrawn { .. } => Code::Unavailable,
        Rejected::BulkheadFull { .. } => Code::ResourceExhausted,
        Rejected::TimedOut { .. } | Rejected::DeadlineExceeded { .. } => Code::DeadlineExceeded,
    }
}

/// Answers a rejection in the protocol of the request: over HTTP as `A` does, and with a code over gRPC.
///
/// # Clone
/// Costs what a clone of `A` does, and a reference count if a code or a message was set.
#[derive(Clone)]
pub struct GrpcOrHttp<A = ByStatus> {
    pub(super) http: A,
    /// None if nothing was set, because every call holds a copy.
    pub(super) grpc: Option<Arc<GrpcAnswer>>,
    /// Whether the request that is called with next is one of gRPC.
    pub(super) is_grpc: bool,
}

/// How to answer over gRPC.
#[derive(Clone)]
pub(super) struct GrpcAnswer {
    pub(super) status: fn(&Rejected) -> Code,
    pub(super) message: Option<Arc<MakeMessage>>,
}

pub(super) type MakeMessage = dyn Fn(&Rejected) -> Cow<'static, str> + Send + Sync;

impl GrpcAnswer {
    pub(super) const DEFAULT: GrpcAnswer = GrpcAnswer { status: grpc_status_of, message: None };
}

impl<B, A: RejectionResponse<B>> RejectionResponse<B> for GrpcOrHttp<A> {
    fn answer(&self, rejected: &Rejected) -> Response<RespondBody<B>> {
        match &self.grpc {
            _ if !self.is_grpc => self.http.answer(rejected),
            None => trailers_only(rejected, grpc_status_of(rejected), Some(words(rejected))),
            Some(grpc) => {
                let said = match &grpc.message {
                    Some(make) => message(&make(rejected)),
                    None => Some(words(rejected)),
                };
                trailers_only(rejected, (grpc.status)(rejected), said)
            }
        }
    }
}

/// A head that says everything, and no body.
fn trailers_only<B>(rejected: &Rejected, code: Code, message: Option<HeaderValue>) -> Response<RespondBody<B>> {
    let mut response = Response::new(RespondBody::default());
    *response.headers_mut() = head(rejected, code, message);
    response
}

fn head(rejected: &Rejected, code: Code, message: Option<HeaderValue>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(GRPC_STATUS, HeaderValue::from_static(code.digits()));
    if let Some(message) = message {
        headers.insert(GRPC_MESSAGE, message);
    }
    if let Some(pushback) = pushback_of(rejected) {
        headers.insert(PUSHBACK, pushback);
    }
    headers
}

/// The response to a rejection of a gRPC request, unless a [`GrpcRespondLayer`](super::GrpcRespondLayer) sets another:
/// no more than a head, with the code of [`grpc_status_of`], a `grpc-message` that names the kind of rejection and
/// nothing else, and `grpc-retry-pushback-ms` by the same table.
///
/// For a handler that calls a stack and answers that stack's rejection as its own, as
/// [`http::response_of`](crate::http::response_of) does for HTTP. The body is the default of whichever type is needed,
/// which must be an empty one.
///
/// ```
/// use bytes::Bytes;
/// use http::Response;
/// use http_body_util::Full;
/// use seaworthy::CircuitBreaker;
/// use seaworthy::http::grpc::grpc_response_of;
///
/// let circuit_breaker = CircuitBreaker::builder("stock").build()?;
/// circuit_breaker.force_open();
/// if let Err(rejected) = circuit_breaker.admit() {
///     let response: Response<Full<Bytes>> = grpc_response_of(&rejected);
///     assert_eq!(response.headers()["grpc-status"], "14");
///     assert_eq!(response.headers()["grpc-message"], "circuit open");
///     assert_eq!(response.headers()["grpc-retry-pushback-ms"], "-1");
/// }
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
#[must_use]
pub fn grpc_response_of<B: Default>(rejected: &Rejected) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.headers_mut() = head(rejected, grpc_status_of(rejected), Some(words(rejected)));
    response
}

impl<A> fmt::Debug for GrpcOrHttp<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcOrHttp").field("is_grpc", &self.is_grpc).finish_non_exhaustive()
    }
}
