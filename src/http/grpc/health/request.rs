use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;

use super::answer::{self, BROKEN, GrpcRefusal, OTHER_CODEC, TOO_SLOW, UNKNOWN_METHOD};
use super::body::GrpcHealthBody;
use super::message::service_in;
use super::message_reader::MessageReader;
use crate::http::content_type::is_grpc;
use crate::rt::time::{self, Alarm};

/// A request has a few bytes, and one that does not end would be kept for ever.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// More frames in one poll would keep the thread from other tasks.
const FRAMES_IN_A_POLL: u32 = 32;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HealthMethod {
    Check,
    Watch,
}

impl HealthMethod {
    /// What the head of `request` asks for, or the answer if it asks for nothing that there is.
    pub(super) fn of<B>(request: &Request<B>) -> Result<HealthMethod, Box<Response<GrpcHealthBody>>> {
        if *request.method() != Method::POST {
            return Err(Box::new(answer::not_grpc(StatusCode::METHOD_NOT_ALLOWED)));
        }
        if !is_grpc(request.headers()) {
            return Err(Box::new(answer::not_grpc(StatusCode::UNSUPPORTED_MEDIA_TYPE)));
        }
        let path = request.uri().path();
        // A router may have taken off the service's name.
        match path.strip_prefix("/grpc.health.v1.Health").unwrap_or(path) {
            _ if !is_protobuf(request.headers()) => Err(Box::new(OTHER_CODEC.response())),
            "/Check" => Ok(HealthMethod::Check),
            "/Watch" => Ok(HealthMethod::Watch),
            _ => Err(Box::new(UNKNOWN_METHOD.response())),
        }
    }
}

/// Whether the messages of a gRPC request are in protobuf's encoding, which is meant where none is named.
fn is_protobuf(headers: &HeaderMap) -> bool {
    let codec = headers.get(CONTENT_TYPE).and_then(|value| value.as_bytes().split(|byte| *byte == b'+').nth(1));
    let codec = codec.and_then(|codec| codec.split(|byte| *byte == b';').next());
    codec.is_none_or(|codec| codec.eq_ignore_ascii_case(b"proto"))
}

/// Reads the body of a request up to its end.
#[derive(Debug, Default)]
pub(super) struct RequestReader {
    message: MessageReader,
    /// Set when the body first makes the server wait.
    alarm: Option<Alarm>,
}

impl RequestReader {
    /// The service that is asked for.
    pub(super) fn poll<B: Body>(
        &mut self,
        mut body: Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<String, GrpcRefusal>> {
        for _ in 0..FRAMES_IN_A_POLL {
            match body.as_mut().poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    // Trailers say nothing here.
                    if let Err(error) = frame.into_data().map_or(Ok(()), |data| self.message.push(data)) {
                        return Poll::Ready(Err(error.into()));
                    }
                }
                Poll::Ready(Some(Err(_))) => return Poll::Ready(Err(BROKEN)),
                Poll::Ready(None) => return Poll::Ready(self.service()),
                Poll::Pending => return self.poll_time_limit(cx),
            }
        }
        cx.waker().wake_by_ref();
        self.poll_time_limit(cx)
    }

    fn poll_time_limit(&mut self, cx: &mut Context<'_>) -> Poll<Result<String, GrpcRefusal>> {
        let alarm = self.alarm.get_or_insert_with(|| Alarm::at(time::now().after(TIME_LIMIT)));
        alarm.poll(cx).map(|()| Err(TOO_SLOW))
    }

    fn service(&self) -> Result<String, GrpcRefusal> {
        service_in(self.message.message()?).map(str::to_owned).map_err(|_| BROKEN)
    }
}
