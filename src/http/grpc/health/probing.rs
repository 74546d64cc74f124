//! What a probe needs beside the messages.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode;

use crate::http::grpc::message::GRPC_MESSAGE;
use crate::http::wire_timeout::Notation;

pub(crate) const CHECK: &str = "/grpc.health.v1.Health/Check";
pub(crate) const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// `left` as a `grpc-timeout`, rounded down; none if nothing is left then.
pub(crate) fn grpc_timeout(left: Duration) -> Option<HeaderValue> {
    HeaderValue::from_bytes(Notation::Grpc.write(left)?.as_bytes()).ok()
}

/// What the other side says about its status. It may be anything.
pub(crate) fn grpc_message(headers: &HeaderMap) -> Option<String> {
    let encoded = headers.get(GRPC_MESSAGE).filter(|message| !message.is_empty())?;
    Some(percent_decode(encoded.as_bytes()).decode_utf8_lossy().into_owned())
}
