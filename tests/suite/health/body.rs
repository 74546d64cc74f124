use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use seaworthy::http::BodyReadinessService;
use seaworthy::{BoxError, Health, Phase};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_test::{assert_pending, assert_ready, task};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::{reason, serving};

/// A body sent by the test, frame by frame; an empty frame is an error.
struct Stream(UnboundedReceiver<&'static str>);

impl Body for Stream {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.poll_recv(cx).map(|text| match text? {
            "" => Some(Err("leak".into())),
            text => Some(Ok(Frame::data(Bytes::from_static(text.as_bytes())))),
        })
    }
}

async fn answer(
    health: &Health,
) -> (UnboundedSender<&'static str>, impl Body<Data = Bytes, Error = BoxError> + Unpin + use<>) {
    let (sender, receiver) = unbounded_channel();
    let mut receiver = Some(receiver);
    let inner = service_fn(move |()| {
        let body = Stream(receiver.take().unwrap());
        async { Ok::<_, BoxError>(Response::new(body)) }
    });
    let inner = tower::util::BoxCloneService::new(CloneOnce(Some(inner)));
    let service = health.readiness_layer().until_body_end().layer(inner);
    (sender, service.oneshot(()).await.unwrap().into_body())
}

/// Moves its service into the first clone that is asked for: a service with one answer need not be `Clone`.
struct CloneOnce<S>(Option<S>);

impl<S> Clone for CloneOnce<S> {
    fn clone(&self) -> CloneOnce<S> {
        panic!("it was ready, so nobody has to clone it")
    }
}

impl<S: Service<()>> Service<()> for CloneOnce<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.as_mut().unwrap().poll_ready(cx)
    }

    fn call(&mut self, (): ()) -> S::Future {
        self.0.take().unwrap().call(())
    }
}

/// RD-09: with `until_body_end` a request is in flight until its body has ended, fails, or is dropped.
#[tokio::test]
async fn in_flight_until_the_body_ends() {
    for end in ["end", "error", "drop"] {
        let health = serving();
        let (sender, mut body) = answer(&health).await;
        let mut idle = task::spawn(health.idle());
        assert_pending!(idle.poll());
        sender.send("a").unwrap();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "a");
        assert_eq!(health.in_flight(), 1);
        match end {
            "end" => {
                drop(sender);
                assert!(body.frame().await.is_none());
            }
            "error" => {
                sender.send("").unwrap();
                assert!(body.frame().await.unwrap().is_err());
            }
            _ => drop(body),
        }
        assert_eq!(health.in_flight(), 0, "{end}");
        assert!(idle.is_woken());
        assert_ready!(idle.poll());
    }
}

type Inner = tower::util::BoxCloneService<(), Response<Full<Bytes>>, BoxError>;

fn full(text: &'static str) -> Inner {
    Inner::new(service_fn(move |()| async move { Ok::<_, BoxError>(Response::new(Full::from(text))) }))
}

/// RD-09: an empty body has ended with the head; without `until_body_end`, every body has.
#[tokio::test]
async fn in_flight_until_the_head() {
    let health = serving();
    let until_end: BodyReadinessService<Inner> = health.readiness_layer().until_body_end().layer(full(""));
    let empty = until_end.oneshot(()).await.unwrap();
    assert_eq!(health.in_flight(), 0);
    let until_head = health.readiness_layer().layer(full("text"));
    let text = until_head.oneshot(()).await.unwrap();
    assert_eq!(health.in_flight(), 0);
    drop((empty, text));
    let held = health.readiness_layer().until_body_end().layer(full("text")).oneshot(()).await.unwrap();
    assert_eq!(health.in_flight(), 1);
    let Ok::<_, Infallible>(collected) = held.into_body().collect().await;
    assert_eq!((collected.to_bytes(), health.in_flight()), (Bytes::from("text"), 0));
}

/// RD-01, RD-09: it rejects like the plain one, and exempt requests are not counted.
#[tokio::test]
async fn rejected_and_exempt() {
    let health = Health::new();
    let service = health.readiness_layer().until_body_end().layer(full("text"));
    assert_eq!(reason(service.oneshot(()).await).as_deref(), Some("starting"));
    let exempt = health.readiness_layer().exempt(|(): &()| true).until_body_end().layer(full("text"));
    let held = exempt.oneshot(()).await.unwrap();
    assert_eq!(health.in_flight(), 0);
    health.advance(Phase::Serving);
    drop(held);
    assert_eq!(health.in_flight(), 0);
}
