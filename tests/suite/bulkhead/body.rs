use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{HeaderMap, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Bytes;
use seaworthy::http::{BodyBulkheadService, PermitBody};
use seaworthy::{BoxError, Bulkhead};
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::{assert_idle, bulkhead, is_full, patient};

/// What a body does at each of its polls; none is pending. After the last it has ended.
#[derive(Debug, Default)]
struct Script {
    polls: VecDeque<Option<Act>>,
    tells_its_end: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Data(&'static str),
    Trailers,
    Error,
    Panic,
}

impl Body for Script {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.polls.pop_front() {
            None => Poll::Ready(None),
            Some(None) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Some(Act::Data(text))) => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(text.as_bytes()))))),
            Some(Some(Act::Trailers)) => {
                let trailers = HeaderMap::from_iter([(http::header::ETAG, "7".parse().expect("valid"))]);
                Poll::Ready(Some(Ok(Frame::trailers(trailers))))
            }
            Some(Some(Act::Error)) => Poll::Ready(Some(Err("leak".into()))),
            Some(Some(Act::Panic)) => panic!("on purpose"),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.tells_its_end && self.polls.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.polls.len() as u64)
    }
}

fn script<const N: usize>(polls: [Option<Act>; N], tells_its_end: bool) -> Script {
    Script { polls: polls.into(), tells_its_end }
}

async fn answer(script: Script) -> Result<Response<Script>, BoxError> {
    Ok(Response::new(script))
}

/// The body of a response that came through the bulkhead.
async fn body(bulkhead: &Bulkhead, script: Script) -> PermitBody<Script> {
    let service = bulkhead.layer().until_body_end().layer(service_fn(answer));
    service.oneshot(script).await.expect("a permit is free").into_body()
}

/// BH-11: the permit is held until the body has ended, through every frame and every wait for one; others are rejected
/// meanwhile.
#[tokio::test]
async fn held_until_the_body_ends() {
    let bulkhead = bulkhead(1);
    let polls = [Some(Act::Data("a")), None, Some(Act::Data("b")), Some(Act::Trailers)];
    let mut body = task::spawn(body(&bulkhead, script(polls, false)).await);
    assert_eq!((bulkhead.in_use(), body.size_hint().exact(), body.is_end_stream()), (1, Some(4), false));
    assert!(bulkhead.try_acquire().is_err());
    let mut next = || body.enter(|cx, body| body.poll_frame(cx));
    assert_eq!(assert_ready!(next()).expect("a frame").expect("data").into_data().expect("data"), "a");
    assert_pending!(next());
    assert_eq!(assert_ready!(next()).expect("a frame").expect("data").into_data().expect("data"), "b");
    let trailers = assert_ready!(next()).expect("a frame").expect("trailers").into_trailers().expect("trailers");
    assert_eq!(trailers[http::header::ETAG], "7");
    assert_eq!(bulkhead.in_use(), 1);
    assert!(assert_ready!(next()).is_none());
    // It has ended, and is not dropped yet.
    assert_idle(&bulkhead);
    assert!(assert_ready!(next()).is_none());
    assert_idle(&bulkhead);
}

/// BH-11: a body that says that it has ended need not be polled again: the permit is free with its last frame.
#[tokio::test]
async fn free_with_the_last_frame() {
    let bulkhead = bulkhead(1);
    let mut two = body(&bulkhead, script([Some(Act::Data("a")), Some(Act::Trailers)], true)).await;
    two.frame().await.expect("a frame").expect("data");
    assert_eq!(bulkhead.in_use(), 1);
    two.frame().await.expect("a frame").expect("trailers");
    assert!(two.is_end_stream());
    assert_idle(&bulkhead);
    // An empty one ends with the head.
    let empty = body(&bulkhead, script([], true)).await;
    assert_idle(&bulkhead);
    drop(empty);
    assert_idle(&bulkhead);
}

/// BH-11: an error of the body ends it and passes unchanged; so does a panic.
#[tokio::test]
async fn errors_and_panics() {
    let bulkhead = bulkhead(1);
    let mut failing = body(&bulkhead, script([Some(Act::Data("a")), Some(Act::Error)], false)).await;
    failing.frame().await.expect("a frame").expect("data");
    assert_eq!(bulkhead.in_use(), 1);
    assert_eq!(failing.frame().await.expect("a frame").expect_err("the inner's").to_string(), "leak");
    assert_idle(&bulkhead);
    let mut panicking = task::spawn(body(&bulkhead, script([Some(Act::Panic)], false)).await);
    assert_eq!(bulkhead.in_use(), 1);
    let unwound = catch_unwind(AssertUnwindSafe(|| panicking.enter(|cx, body| body.poll_frame(cx).is_ready())));
    assert!(unwound.is_err());
    assert_idle(&bulkhead);
}

/// BH-11: dropping it releases the permit, after any number of polls, and after the body itself was dropped.
#[tokio::test]
async fn dropped_at_every_frame() {
    let bulkhead = bulkhead(1);
    let polls = [Some(Act::Data("a")), None, None, Some(Act::Data("b")), Some(Act::Trailers), Some(Act::Error)];
    for tells_its_end in [false, true] {
        for count in 0..8 {
            let mut body = task::spawn(body(&bulkhead, script(polls, tells_its_end)).await);
            for _ in 0..count {
                let _any = body.enter(|cx, body| body.poll_frame(cx));
            }
            assert_eq!(bulkhead.in_use(), u32::from(count < 6));
            drop(body);
            assert_idle(&bulkhead);
        }
    }
}

/// BH-11: a waiter gets the permit when the body ends; a rejection and an error have no body, and a layer without
/// `until_body_end` is done with the head.
#[tokio::test(start_paused = true)]
async fn with_waiting_and_rejections() {
    let bulkhead = patient(1);
    let mut first = body(&bulkhead, script([], false)).await;
    let mut service: BodyBulkheadService<_> = bulkhead.layer().until_body_end().layer(service_fn(answer));
    assert_ready_ok!(task::spawn(()).enter(|cx, _| service.poll_ready(cx)));
    let mut second = task::spawn(service.call(script([], false)));
    assert_pending!(second.poll());
    assert!(first.frame().await.is_none());
    assert!(second.is_woken());
    let second = assert_ready_ok!(second.poll());
    assert_eq!(bulkhead.in_use(), 1);
    let mut in_vain = task::spawn(service.clone().oneshot(script([], false)));
    assert_pending!(in_vain.poll());
    crate::support::advance(crate::support::SECOND).await;
    assert!(is_full(&assert_ready!(in_vain.poll())));
    drop(second);
    assert_idle(&bulkhead);

    let fails = service_fn(async |_: Script| Err::<Response<Script>, _>(BoxError::from("leak")));
    assert!(bulkhead.layer().until_body_end().layer(fails).oneshot(script([], false)).await.is_err());
    assert_idle(&bulkhead);
    let _response = bulkhead.layer().layer(service_fn(answer)).oneshot(script([None], false)).await.expect("free");
    assert_idle(&bulkhead);
}

/// BH-11: what is accessible through the service.
#[test]
fn access_to_the_parts() {
    let bulkhead = bulkhead(1);
    let mut service = bulkhead.layer().until_body_end().layer(7);
    assert_eq!((service.bulkhead().name().as_str(), *service.get_ref()), ("ship", 7));
    *service.get_mut() = 8;
    assert!(format!("{service:?}").contains("in_use: 0"));
    assert_eq!(service.into_inner(), 8);
}
