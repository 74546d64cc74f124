//! Any request of gRPC's health protocol, in frames of any sizes, has an answer: `fuzz/run 60 grpc_health`. The first
//! bytes say where the rest is cut.

#![no_main]

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request};
use http_body::{Body, Frame};
use libfuzzer_sys::fuzz_target;
use seaworthy::{Health, Phase};
use tower_service::Service;

/// More would have the server yield, which needs a runtime.
const MOST_CUTS: usize = 8;

struct Frames(Vec<Bytes>);

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop().map(|data| Ok(Frame::data(data))))
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((cuts, whole)) = data.split_at_checked(MOST_CUTS) else { return };
    let mut rest = Bytes::copy_from_slice(whole);
    let mut frames: Vec<_> = cuts.iter().map(|cut| rest.split_to(rest.len().min(usize::from(*cut)))).collect();
    frames.push(rest);
    frames.reverse();

    let health = Health::new();
    health.advance(Phase::Serving);
    let mut grpc = health.grpc_service();
    grpc.publish("a", &[]).expect("a name");
    let by_cuts = answer(&mut grpc, Frames(frames));
    let at_once = answer(&mut grpc, Frames(vec![Bytes::copy_from_slice(whole)]));
    assert_eq!(by_cuts, at_once, "the frames say nothing");

    let expected: &[&str] = match whole {
        [1, ..] => &["12"],
        [0, a, b, c, d, message @ ..] => match u32::from_be_bytes([*a, *b, *c, *d]) as usize {
            4097.. => &["8"],
            length if length == message.len() => &["0", "5", "13"],
            _ => &["13"],
        },
        _ => &["13"],
    };
    assert!(expected.contains(&&*at_once), "{at_once}");
});

/// The status, wherever it is.
fn answer(grpc: &mut seaworthy::http::grpc::GrpcHealthService, body: Frames) -> String {
    let request = Request::post("/grpc.health.v1.Health/Check").header(CONTENT_TYPE, "application/grpc").body(body);
    let mut cx = Context::from_waker(Waker::noop());
    let future = pin!(grpc.call(request.expect("a request")));
    let Poll::Ready(Ok(response)) = future.poll(&mut cx) else { panic!("it waits for nothing") };
    let status = |headers: &HeaderMap| headers.get("grpc-status").map(|status| status.to_str().expect("digits").into());
    let (head, mut body) = response.into_parts();
    if let Some(status) = status(&head.headers) {
        assert!(body.is_end_stream());
        return status;
    }
    let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(&mut cx) else { panic!("a message") };
    assert_eq!(&**frame.data_ref().expect("a message"), b"\0\0\0\0\x02\x08\x01");
    let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(&mut cx) else { panic!("trailers") };
    status(frame.trailers_ref().expect("trailers")).expect("a status")
}
