//! Respond, bulkhead, timeout, handler.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::get;
use http::{Request, StatusCode};
use seaworthy::WrapErrorLayer;
use seaworthy::http::RespondLayer;
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};

use super::*;

/// The state of the handlers and the permits in front of them.
fn server(queue: Option<Duration>) -> (Router, Parts, Backend) {
    let (parts, backend) = (Parts::new(1, queue), Backend::new());
    let route = |request| {
        let backend = backend.clone();
        get(move || {
            let call = Boxed::new(backend).oneshot(request);
            async { call.await.map_err(|error| error.to_string()) }
        })
    };
    let app = Router::new()
        .route("/fine", route(Do::Answer))
        .route("/slow", route(Do::AnswerAfter(WAIT)))
        .route("/hang", route(Do::Hang))
        .layer(
            ServiceBuilder::new()
                .layer(RespondLayer::new())
                .layer(parts.bulkhead.layer())
                .layer(parts.timeout.layer())
                .layer(WrapErrorLayer::new()),
        );
    (app, parts, backend)
}

/// Above the stack nothing can fail.
async fn ask(app: &Router, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let Ok(response) = app.clone().oneshot(request).await;
    let status = response.status();
    let body = to_bytes(response.into_body(), 99).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn fine() -> (StatusCode, String) {
    (StatusCode::OK, "fine".into())
}

/// One request too many is rejected at once, and the handler does not see it.
#[tokio::test(start_paused = true)]
async fn one_too_many_is_turned_away() {
    let (app, parts, backend) = server(None);
    let mut running = spawn(ask(&app, "/slow"));
    assert_pending!(running.poll());
    let mut rejected = spawn(ask(&app, "/fine"));
    let answer = assert_ready!(rejected.poll());
    assert_eq!(answer, (StatusCode::SERVICE_UNAVAILABLE, r#"{"error":"bulkhead full"}"#.into()));
    assert_eq!(backend.calls(), 1);
    assert_eq!(running.await, fine());
    assert_eq!(ask(&app, "/fine").await, fine());
    parts.assert_whole(&"served").await;
}

/// Or it waits for its turn, and the time in the queue is not the handler's.
#[tokio::test(start_paused = true)]
async fn or_it_waits_for_its_turn() {
    let (app, parts, _) = server(Some(QUEUE));
    let (slow, next) = tokio::join!(ask(&app, "/slow"), ask(&app, "/slow"));
    assert_eq!((slow, next), (fine(), fine()));
    // The handler hangs for longer than any caller waits.
    let (hung, next) = tokio::join!(ask(&app, "/hang"), ask(&app, "/fine"));
    assert_eq!((hung.0, next.0), (StatusCode::GATEWAY_TIMEOUT, StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(ask(&app, "/fine").await, fine());
    parts.assert_whole(&"waited").await;
}

/// A client that hangs up releases its permit, or its place in the queue.
#[tokio::test(start_paused = true)]
async fn a_client_that_hangs_up() {
    let (app, parts, backend) = server(Some(QUEUE));
    let mut running = spawn(ask(&app, "/hang"));
    assert_pending!(running.poll());
    let (mut first, mut second) = (spawn(ask(&app, "/hang")), spawn(ask(&app, "/fine")));
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    assert_eq!((parts.bulkhead.in_use(), parts.bulkhead.queued()), (1, 2));
    drop(first);
    assert_eq!((parts.bulkhead.in_use(), parts.bulkhead.queued()), (1, 1));
    drop(running);
    assert!(second.is_woken());
    assert_eq!(assert_ready!(second.poll()), fine());
    assert_eq!(backend.calls(), 2);
    parts.assert_whole(&"hung up").await;
}
