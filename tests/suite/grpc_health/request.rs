use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Method;
use http_body::{Body, Frame};
use http_body_util::{Empty, Full};
use hyper::body::Bytes;
use seaworthy::BoxError;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_test::{assert_pending, assert_ready, task};
use tower::Service;

use super::*;
use crate::support::{MS, SECOND, advance};

/// A body sent by the test, frame by frame.
struct Stream(UnboundedReceiver<Result<Frame<Bytes>, BoxError>>);

impl Body for Stream {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.poll_recv(cx)
    }
}

fn stream() -> (UnboundedSender<Result<Frame<Bytes>, BoxError>>, Stream) {
    let (sender, receiver) = unbounded_channel();
    (sender, Stream(receiver))
}

fn data(bytes: &[u8]) -> Result<Frame<Bytes>, BoxError> {
    Ok(Frame::data(Bytes::copy_from_slice(bytes)))
}

async fn ask(body: &[u8]) -> Answer {
    let grpc = serving().grpc_service();
    grpc.publish("a", &[]).unwrap();
    answer_of(send(&grpc, post(CHECK, Full::new(Bytes::copy_from_slice(body)))).await).await
}

/// GR-15: a request in frames of any sizes, cut anywhere, in the prefix, too.
#[tokio::test]
async fn cut_anywhere() {
    let grpc = serving().grpc_service();
    grpc.publish("shop.Cart", &[]).unwrap();
    let whole = asking_for("shop.Cart");
    for first in 0..whole.len() {
        for second in first..whole.len() {
            let (sender, body) = stream();
            for piece in [&whole[..first], &whole[first..second], &whole[second..]] {
                sender.send(data(piece)).unwrap();
            }
            // Trailers of a request say nothing.
            sender.send(Ok(Frame::trailers(HeaderMap::new()))).unwrap();
            drop(sender);
            assert_eq!(answer_of(send(&grpc, post(CHECK, body)).await).await, said(SERVING), "{first} {second}");
        }
    }
}

/// GR-15: what is too long, compressed, broken or unknown is answered, each with its status.
#[tokio::test]
async fn what_cannot_be_read() {
    // An unknown field is skipped.
    assert_eq!(ask(&framed(b"\x12\x03abc\x0a\x01a\x18\x07")).await, said(SERVING));
    assert_eq!(ask(&framed(b"")).await, said(SERVING));
    for (body, status) in [
        (&b""[..], 13),
        (b"\0\0\0", 13),
        (b"\0\0\0\0\x02\x0a", 13),
        // A field that ends before its length.
        (&framed(b"\x0a\x02a"), 13),
        // Not UTF-8.
        (&framed(b"\x0a\x02\xc3\x28"), 13),
        // Two messages.
        (b"\0\0\0\0\0\0\0\0\0\0", 13),
        // A flag that the protocol does not have.
        (b"\x02\0\0\0\0", 13),
        (b"\x01\0\0\0\0", 12),
        (b"\x01\x7f\xff\xff\xff", 12),
        (b"\0\0\0\x10\x01", 8),
        (b"\0\xff\xff\xff\xff", 8),
        (&framed(b"\x0a\x01b"), 5),
    ] {
        assert_eq!(ask(body).await, refused(status), "{body:?}");
    }
    // The longest that is read: 4 KiB.
    let mut longest = vec![0x12, 0xfd, 0x1f];
    longest.resize(4096, b'x');
    assert_eq!(ask(&framed(&longest)).await, said(SERVING));
}

/// GR-15: a message that cannot be read is answered as soon as that shows, and a body that fails is broken.
#[tokio::test]
async fn refused_before_the_end() {
    let mut grpc = serving().grpc_service();
    let refuse = |frames: Vec<Result<Frame<Bytes>, BoxError>>| {
        let (sender, body) = stream();
        frames.into_iter().for_each(|frame| sender.send(frame).unwrap());
        let mut future = task::spawn(grpc.call(post(WATCH, body)));
        let Ok(response) = assert_ready!(future.poll());
        assert!(!response.headers()["grpc-message"].to_str().unwrap().contains(['%', '\n']));
        assert!(response.body().is_end_stream(), "the status is in the head");
        // The future has let go of the body.
        assert!(sender.is_closed());
        status_in(response.headers()).unwrap()
    };
    let mut refuse = refuse;
    assert_eq!(refuse(vec![data(b"\x01")]), "12");
    assert_eq!(refuse(vec![data(b"\0\0"), data(b"\0\x10\x01")]), "8");
    assert_eq!(refuse(vec![data(b"\x07")]), "13");
    assert_eq!(refuse(vec![data(&asking_for("a")), data(b""), data(b"\0")]), "13");
    assert_eq!(refuse(vec![data(b"\0"), Err("reset".into())]), "13");
    assert_eq!(grpc.watchers(), 0);
}

/// GR-15: a request that stalls takes no watcher's place, and is given up 10 s after it first made the server wait.
#[tokio::test(start_paused = true)]
async fn a_request_that_stalls() {
    let mut grpc = serving().grpc_service().max_watchers(1).unwrap();
    let (sender, body) = stream();
    let mut stalled = task::spawn(grpc.call(post(WATCH, body)));
    assert_pending!(stalled.poll());
    sender.send(data(&asking_for(""))).unwrap();
    assert!(stalled.is_woken());
    assert_pending!(stalled.poll());
    assert_eq!(grpc.watchers(), 0);
    let watched = watch(&grpc, "").await;
    assert_eq!((status_in(watched.headers()), grpc.watchers()), (None, 1));
    advance(10 * SECOND - MS).await;
    assert_pending!(stalled.poll());
    // More of the body does not put it off.
    sender.send(data(b"")).unwrap();
    assert_pending!(stalled.poll());
    advance(2 * MS).await;
    assert!(stalled.is_woken());
    let Ok(response) = assert_ready!(stalled.poll());
    assert_eq!(answer_of(response).await, refused(4));
    assert!(sender.is_closed());

    // One that is whole at that moment is answered.
    let (sender, body) = stream();
    let mut late = task::spawn(grpc.call(post(CHECK, body)));
    assert_pending!(late.poll());
    advance(11 * SECOND).await;
    sender.send(data(&asking_for(""))).unwrap();
    drop(sender);
    let Ok(response) = assert_ready!(late.poll());
    assert_eq!(answer_of(response).await, said(SERVING));
}

/// GR-15: a body whose frames never end, and which is never pending, keeps no thread to itself.
#[tokio::test(start_paused = true)]
async fn endless_empty_frames() {
    struct Endless;
    impl Body for Endless {
        type Data = Bytes;
        type Error = BoxError;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            Poll::Ready(Some(Ok(Frame::data(Bytes::new()))))
        }
    }
    let mut endless = task::spawn(serving().grpc_service().call(post(CHECK, Endless)));
    for _ in 0..5 {
        assert_pending!(endless.poll());
        assert!(endless.is_woken());
    }
    advance(Duration::from_secs(11)).await;
    let Ok(response) = assert_ready!(endless.poll());
    assert_eq!(answer_of(response).await, refused(4));
}

/// GR-15: what is not gRPC is answered over HTTP, and gRPC that is not this protocol with 12.
#[tokio::test]
async fn not_this_protocol() {
    let grpc = serving().grpc_service();
    let head = async |method: Method, path: &str, content_type: Option<&str>| {
        let mut request = Request::new(Full::new(Bytes::from(asking_for(""))));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().unwrap();
        if let Some(content_type) = content_type {
            request.headers_mut().insert(CONTENT_TYPE, content_type.parse().unwrap());
        }
        let response = send(&grpc, request).await;
        assert_eq!(response.headers().get("allow").is_some(), response.status() == 405);
        let answer = answer_of(response).await;
        (answer.http, answer.head.or(answer.trailers))
    };
    let over_grpc = |status: &str| (200, Some(status.to_owned()));
    for content_type in
        ["application/grpc", "application/grpc+proto", "application/grpc;x=y", "application/grpc+proto;x"]
    {
        assert_eq!(head(Method::POST, CHECK, Some(content_type)).await, over_grpc("0"), "{content_type}");
    }
    // A router may have taken off the service's name.
    assert_eq!(head(Method::POST, "/Check", Some("application/grpc")).await, over_grpc("0"));
    for path in [
        "/",
        "/grpc.health.v1.Health/List",
        "/grpc.health.v1.Health",
        "/shop.Cart/Check",
        "/grpc.health.v1.HealthCheck",
        "/Check/",
    ] {
        assert_eq!(head(Method::POST, path, Some("application/grpc")).await, over_grpc("12"), "{path}");
    }
    assert_eq!(head(Method::POST, CHECK, Some("application/grpc+json")).await, over_grpc("12"));
    for content_type in
        [None, Some("application/json"), Some("application/grpc-web"), Some("application/grpc-web+proto")]
    {
        assert_eq!(head(Method::POST, CHECK, content_type).await, (415, None), "{content_type:?}");
    }
    for method in [Method::GET, Method::PUT, Method::OPTIONS] {
        assert_eq!(head(method, CHECK, Some("application/grpc")).await, (405, None));
    }
    let response = send(&grpc, post("/x/y", Empty::<Bytes>::new())).await;
    assert_eq!(response.headers()["grpc-message"], "unknown method");
}

/// GR-15: polled once more, the future panics with its name, as any other; the body stays at its end.
#[tokio::test]
async fn polled_after_the_end() {
    let mut grpc = serving().grpc_service();
    let mut future = task::spawn(grpc.call(post(CHECK, Full::new(Bytes::from(asking_for(""))))));
    let Ok(response) = assert_ready!(future.poll());
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| future.poll())).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "`GrpcHealthFuture` was polled after it was ready");
    let mut body = task::spawn(response.into_body());
    let mut next = || body.enter(|cx, body| body.poll_frame(cx));
    assert!(assert_ready!(next()).unwrap().unwrap().is_data());
    assert!(assert_ready!(next()).unwrap().unwrap().is_trailers());
    assert!(assert_ready!(next()).is_none() && assert_ready!(next()).is_none());
}
