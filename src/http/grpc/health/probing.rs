//! What a probe needs beside the messages.

use http::HeaderMap;
use percent_encoding::percent_decode;

use crate::http::grpc::message::GRPC_MESSAGE;

pub(crate) const CHECK: &str = "/grpc.health.v1.Health/Check";

/// What the other side says about its status. It may be anything.
pub(crate) fn grpc_message(headers: &HeaderMap) -> Option<String> {
    let encoded = headers.get(GRPC_MESSAGE).filter(|message| !message.is_empty())?;
    Some(percent_decode(encoded.as_bytes()).decode_utf8_lossy().into_owned())
}
