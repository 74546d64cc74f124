//! GR: gRPC's health protocol, served.

mod check;
mod request;
mod sockets;
mod watch;

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use seaworthy::http::grpc::{GrpcHealthBody, GrpcHealthService};
use seaworthy::{Health, Phase};
use tower::ServiceExt;

const CHECK: &str = "/grpc.health.v1.Health/Check";
const WATCH: &str = "/grpc.health.v1.Health/Watch";

const SERVING: &[u8] = b"\0\0\0\0\x02\x08\x01";
const NOT_SERVING: &[u8] = b"\0\0\0\0\x02\x08\x02";
const SERVICE_UNKNOWN: &[u8] = b"\0\0\0\0\x02\x08\x03";

/// A service that takes requests.
fn serving() -> Health {
    let health = Health::new();
    assert!(health.advance(Phase::Serving));
    health
}

/// A message that asks for `service`, with its prefix.
fn asking_for(service: &str) -> Vec<u8> {
    let length = u8::try_from(service.len()).unwrap();
    assert!(length < 0x80);
    let field = if length == 0 { Vec::new() } else { [&[0x0a, length], service.as_bytes()].concat() };
    framed(&field)
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&[0], &u32::try_from(message.len()).unwrap().to_be_bytes()[..], message].concat()
}

fn post<B>(path: &str, body: B) -> Request<B> {
    Request::post(path).header(CONTENT_TYPE, "application/grpc").body(body).unwrap()
}

async fn send(grpc: &GrpcHealthService, request: Request<impl http_body::Body>) -> Response<GrpcHealthBody> {
    let Ok::<_, Infallible>(response) = grpc.clone().oneshot(request).await;
    response
}

/// Everything that a caller sees of an answer.
#[derive(Debug, PartialEq)]
struct Answer {
    http: u16,
    /// The status in the head, which is then all there is.
    head: Option<String>,
    data: Vec<u8>,
    /// The status in the trailers.
    trailers: Option<String>,
}

fn status_in(headers: &HeaderMap) -> Option<String> {
    headers.get("grpc-status").map(|status| status.to_str().unwrap().to_owned())
}

async fn answer_of(response: Response<impl http_body::Body<Data = Bytes, Error: std::fmt::Debug> + Unpin>) -> Answer {
    let (http, head) = (response.status().as_u16(), status_in(response.headers()));
    if http == 200 {
        assert_eq!(response.headers()[CONTENT_TYPE], "application/grpc");
    }
    let collected = response.into_body().collect().await.unwrap();
    let trailers = collected.trailers().and_then(status_in);
    Answer { http, head, data: collected.to_bytes().to_vec(), trailers }
}

/// A message and success.
fn said(message: &[u8]) -> Answer {
    Answer { http: 200, head: None, data: message.to_vec(), trailers: Some("0".into()) }
}

/// A status, and nothing else.
fn refused(status: u16) -> Answer {
    Answer { http: 200, head: Some(status.to_string()), data: Vec::new(), trailers: None }
}

async fn check(grpc: &GrpcHealthService, service: &str) -> Answer {
    answer_of(send(grpc, post(CHECK, Full::new(Bytes::from(asking_for(service))))).await).await
}

async fn watch(grpc: &GrpcHealthService, service: &str) -> Response<GrpcHealthBody> {
    send(grpc, post(WATCH, Full::new(Bytes::from(asking_for(service))))).await
}

#[allow(clippy::disallowed_methods, reason = "the clock is paused")]
fn sleep(span: Duration) -> impl Future<Output = ()> {
    tokio::time::sleep(span)
}
