//! What is answered without a message.

use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Response, StatusCode};

use super::body::GrpcHealthBody;
use super::message_reader::MessageError;
use crate::grpc::code::Code;
use crate::http::grpc::message::GRPC_MESSAGE;
use crate::http::grpc::status::GRPC_STATUS;

pub(super) const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

/// A status, with the words for it, in which nothing has to be escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GrpcRefusal(Code, &'static str);

pub(super) const SHUTTING_DOWN: GrpcRefusal = GrpcRefusal(Code::Unavailable, "shutting down");
pub(super) const TOO_MANY_WATCHERS: GrpcRefusal = GrpcRefusal(Code::ResourceExhausted, "too many watchers");
pub(super) const UNKNOWN_SERVICE: GrpcRefusal = GrpcRefusal(Code::NotFound, "unknown service");
pub(super) const UNKNOWN_METHOD: GrpcRefusal = GrpcRefusal(Code::Unimplemented, "unknown method");
pub(super) const OTHER_CODEC: GrpcRefusal = GrpcRefusal(Code::Unimplemented, "messages are read as protobuf only");
pub(super) const TOO_SLOW: GrpcRefusal = GrpcRefusal(Code::DeadlineExceeded, "the request was not whole in time");
const COMPRESSED: GrpcRefusal = GrpcRefusal(Code::Unimplemented, "compressed messages are not read");
const TOO_LONG: GrpcRefusal = GrpcRefusal(Code::ResourceExhausted, "the message is too long");
pub(super) const BROKEN: GrpcRefusal = GrpcRefusal(Code::Internal, "the message is broken");

impl GrpcRefusal {
    pub(super) fn headers(self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(3);
        headers.insert(GRPC_STATUS, HeaderValue::from_static(self.0.digits()));
        headers.insert(GRPC_MESSAGE, HeaderValue::from_static(self.1));
        headers
    }

    /// All in the head.
    pub(super) fn response(self) -> Response<GrpcHealthBody> {
        let mut response = Response::new(GrpcHealthBody::empty());
        *response.headers_mut() = self.headers();
        response.headers_mut().insert(CONTENT_TYPE, GRPC);
        response
    }
}

impl From<MessageError> for GrpcRefusal {
    fn from(error: MessageError) -> GrpcRefusal {
        match error {
            MessageError::Compressed => COMPRESSED,
            MessageError::TooLong => TOO_LONG,
            MessageError::Broken => BROKEN,
        }
    }
}

/// The trailers of what went well.
pub(super) fn success() -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(GRPC_STATUS, HeaderValue::from_static(Code::Ok.digits()));
    trailers
}

pub(super) fn with_body(body: GrpcHealthBody) -> Response<GrpcHealthBody> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, GRPC);
    response
}

/// To what is not gRPC.
pub(super) fn not_grpc(status: StatusCode) -> Response<GrpcHealthBody> {
    let mut response = Response::new(GrpcHealthBody::empty());
    *response.status_mut() = status;
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}
