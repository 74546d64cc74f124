use std::future::{Future, Ready, pending, ready};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use ::http::{Method, Request, Response};
use seaworthy::BoxError;
use seaworthy_ledger::http::IdempotencyKeyLayer;
use tokio_test::{assert_pending, assert_ready_ok, task};
use tower::{Layer, Service, ServiceExt};

use super::{Asked, Body, ask, body, builder, channel, counting, data, empty, ledger, post, read};

fn request(method: &Method, key: Option<&str>) -> Request<Body> {
    let request = Request::builder().method(method).uri("/orders");
    let request = if let Some(key) = key { request.header("idempotency-key", key) } else { request };
    request.body(body("two boxes")).unwrap()
}

/// LG-70: what is not guarded passes untouched, with or without the header, and so does what is guarded and has none.
/// The store is not asked.
#[tokio::test(start_paused = true)]
async fn untouched() {
    let (ledger, store) = ledger();
    let (app, calls) = counting(&builder(&ledger).build().unwrap());
    let others = [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT, Method::DELETE, Method::TRACE];
    for method in &others {
        // Not even an unusable key is looked at.
        for key in [None, Some("a"), Some("")] {
            let before = calls.count();
            let told = ask(&app, request(method, key)).await;
            assert_eq!((told.status.as_u16(), calls.count()), (200, before + 1), "{method} {key:?}");
            assert!(!told.is_replayed());
        }
    }
    for method in [Method::POST, Method::PATCH] {
        for _ in 0..2 {
            assert_eq!(ask(&app, request(&method, None)).await.status, 200);
        }
    }
    assert_eq!((calls.count(), store.take_calls()), (others.len() * 3 + 4, vec![]));

    // The opposite.
    for sent in 0..2 {
        for method in [Method::POST, Method::PATCH] {
            let told = ask(&app, request(&method, Some(method.as_str()))).await;
            assert_eq!(told.is_replayed(), sent == 1);
        }
    }
    assert_eq!(calls.count(), others.len() * 3 + 6);
}

/// LG-70: with `required`, a guarded request without the header is answered 400; others pass as before.
#[tokio::test(start_paused = true)]
async fn required() {
    let (ledger, store) = ledger();
    let (app, calls) = counting(&builder(&ledger).required().build().unwrap());
    for method in [Method::POST, Method::PATCH] {
        let told = ask(&app, request(&method, None)).await;
        assert_eq!((told.status.as_u16(), told.title().as_str()), (400, "Idempotency-Key is missing"));
    }
    assert_eq!((calls.count(), store.take_calls()), (0, vec![]));
    assert_eq!(ask(&app, request(&Method::PUT, None)).await.status, 200);
    assert_eq!(ask(&app, request(&Method::POST, Some("a"))).await.status, 200);
    assert_eq!(calls.count(), 2);
}

/// LG-70: other methods can be guarded.
#[tokio::test(start_paused = true)]
async fn methods() {
    let (ledger, _) = ledger();
    let (app, calls) = counting(&builder(&ledger).methods([Method::PUT]).build().unwrap());
    for _ in 0..2 {
        ask(&app, request(&Method::POST, Some("a"))).await;
    }
    assert_eq!(calls.count(), 2);
    for _ in 0..2 {
        ask(&app, request(&Method::PUT, Some("a"))).await;
    }
    assert_eq!(calls.count(), 3);
}

/// LG-70: a body that passes is not read before the handler is called, and goes both ways as it comes.
#[tokio::test(start_paused = true)]
async fn bodies_pass() {
    use http_body_util::BodyExt;

    let (ledger, _) = ledger();
    let layer = builder(&ledger).build().unwrap();
    let (app, calls) = super::app(&layer, async |request: Asked| Ok(Response::new(request.into_body().boxed_unsync())));
    let (send, body) = channel();
    let response = app.clone().oneshot(Request::put("/").body(body).unwrap()).await.unwrap();
    assert_eq!(calls.count(), 1);
    let mut body = response.into_body();
    assert_pending!(task::spawn(body.frame()).poll());
    send.send(data("one")).unwrap();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "one");
    drop(send);
    assert!(body.frame().await.is_none());
}

/// Is ready when it is told to be, and counts how often it is asked and called.
#[derive(Clone, Default)]
struct Slow {
    is_ready: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    called: Arc<AtomicUsize>,
    /// Called before it was ready.
    may_be_called: bool,
}

impl<B> Service<Request<B>> for Slow {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Ready<Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.may_be_called = self.is_ready.load(Ordering::SeqCst);
        if self.may_be_called {
            return Poll::Ready(Ok(()));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        assert!(std::mem::take(&mut self.may_be_called), "called before it was ready");
        self.called.fetch_add(1, Ordering::SeqCst);
        ready(Ok(Response::new(empty())))
    }
}

/// LG-70: a request that passes waits for a service that is not ready; the layer itself is ready, always.
#[tokio::test(start_paused = true)]
async fn waits_for_readiness() {
    let (ledger, _) = ledger();
    let slow = Slow::default();
    let mut service = builder(&ledger).build().unwrap().layer(slow.clone());
    let mut call = task::spawn(async move {
        std::future::poll_fn(|cx| Service::<Request<Body>>::poll_ready(&mut service, cx)).await?;
        service.call(request(&Method::GET, None)).await
    });
    assert_pending!(call.poll());
    assert_eq!(slow.called.load(Ordering::SeqCst), 0);
    slow.is_ready.store(true, Ordering::SeqCst);
    assert_ready_ok!(call.poll());
    assert_eq!(slow.called.load(Ordering::SeqCst), 1);
}

/// LG-75: a replay touches the inner service neither by `poll_ready` nor by `call`; a call with a key waits for it to be
/// ready with its key claimed.
#[tokio::test(start_paused = true)]
async fn a_replay_touches_nothing() {
    let (ledger, _) = ledger();
    let slow = Slow::default();
    let service = builder(&ledger).build().unwrap().layer(slow.clone());
    let first = tokio::spawn(service.clone().oneshot(post("a")));
    super::settle_down().await;
    // It waits; whoever comes meanwhile is not called either.
    assert_eq!(read(service.clone().oneshot(post("a")).await.unwrap()).await.status, 409);
    assert_eq!(slow.called.load(Ordering::SeqCst), 0);
    slow.is_ready.store(true, Ordering::SeqCst);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);

    slow.is_ready.store(false, Ordering::SeqCst);
    let asked = slow.asked.load(Ordering::SeqCst);
    for _ in 0..3 {
        assert!(read(service.clone().oneshot(post("a")).await.unwrap()).await.is_replayed());
    }
    assert_eq!((slow.asked.load(Ordering::SeqCst), slow.called.load(Ordering::SeqCst)), (asked, 1));
}

/// LG-70: what passes untouched allocates nothing.
#[tokio::test(start_paused = true)]
async fn passing_allocates_nothing() {
    let (ledger, _) = ledger();
    let slow = Slow::default();
    slow.is_ready.store(true, Ordering::SeqCst);
    let mut service =
        builder(&ledger).build().unwrap().layer(tower::util::MapResponse::new(slow, |response: Response<Body>| {
            response.map(drop).map(|()| http_body_util::Empty::<bytes::Bytes>::new())
        }));
    let request = Request::get("/").header("idempotency-key", "a").body(http_body_util::Empty::<bytes::Bytes>::new());
    let mut request = Some(request.unwrap());
    let mut is_done = false;
    let info = allocation_counter::measure(|| {
        let mut call = pin!(service.call(request.take().unwrap()));
        is_done = call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
    });
    assert!(is_done);
    assert_eq!(info.count_total, 0);
}

/// A service that is never called needs nothing of a runtime.
#[test]
fn a_layer_without_a_runtime() {
    let (ledger, _) = ledger();
    let layer: IdempotencyKeyLayer<_> = builder(&ledger).build().unwrap();
    let (mut app, _) = super::app(&layer, |_| pending());
    assert!(app.poll_ready(&mut Context::from_waker(Waker::noop())).is_ready());
    assert_eq!(layer.in_flight(), 0);
}
