use std::sync::Arc;
use std::time::Duration;

use seaworthy_ledger::{EntryState, Key};
use tokio::sync::Notify;
use tokio_test::{assert_pending, assert_ready, task};
use tower::ServiceExt;

use super::{App, Calls, app, ask, builder, channel, counting, data, ledger, ok, post, sent, settle_down};
use crate::doubles::Fault;

/// An app whose handler waits in the middle, and counts how often it has ended.
fn halfway(layer: &seaworthy_ledger::http::IdempotencyKeyLayer<super::Faulty>) -> (App, Calls, Calls, Arc<Notify>) {
    let (go, ended) = (Arc::new(Notify::new()), Calls::default());
    let (wait, end) = (Arc::clone(&go), ended.clone());
    let (app, calls) = app(layer, move |_| {
        let (wait, end) = (Arc::clone(&wait), end.clone());
        async move {
            wait.notified().await;
            end.add();
            ok("done")
        }
    });
    (app, calls, ended, go)
}

/// LG-81: a client that hangs up in the middle stops nothing: the handler runs to its end, and a repeat gets its answer,
/// or 409 before that. Who runs on is counted and waited for.
#[tokio::test(start_paused = true)]
async fn hangs_up() {
    let (ledger, _) = ledger();
    let layer = builder(&ledger).build().unwrap();
    let (app, calls, ended, go) = halfway(&layer);
    assert_ready!(task::spawn(layer.idle()).poll());
    let mut call = sent(&app, post("a"));
    assert_pending!(call.poll());
    settle_down().await;
    assert_eq!((calls.count(), layer.in_flight()), (1, 1));
    drop(call);
    settle_down().await;
    let mut idle = task::spawn(layer.idle());
    assert_pending!(idle.poll());
    assert_eq!((ask(&app, post("a")).await.status.as_u16(), layer.in_flight()), (409, 1));
    go.notify_one();
    settle_down().await;
    assert!(idle.is_woken());
    assert_eq!((ended.count(), layer.in_flight()), (1, 0));
    assert_ready!(idle.poll());
    assert_eq!((ended.count(), layer.in_flight()), (1, 0));
    let told = ask(&app, post("a")).await;
    assert!(told.is_replayed() && told.body == "done");
    assert_eq!(calls.count(), 1);
}

/// LG-81: with the head in its hands, a client can hang up before the body, in the middle of it, or with an answer on its
/// way that it never sees: the rest is read, and kept whole.
#[tokio::test(start_paused = true)]
async fn hangs_up_in_the_body() {
    for reads in 0..3 {
        let (ledger, _) = ledger();
        let layer = builder(&ledger).build().unwrap();
        let (send, body) = channel();
        let body = Arc::new(std::sync::Mutex::new(Some(body)));
        let (app, calls) = app(&layer, move |_| {
            let body = body.lock().unwrap().take().expect("one call");
            async { Ok(::http::Response::new(body)) }
        });
        send.send(data("one ")).unwrap();
        let mut call = sent(&app, post("a"));
        assert_pending!(call.poll());
        settle_down().await;
        if reads == 0 {
            // The answer lies there.
            assert!(call.is_woken());
            drop(call);
        } else {
            let mut body = call.await.unwrap().into_body();
            if reads == 2 {
                http_body_util::BodyExt::frame(&mut body).await.unwrap().unwrap();
            }
        }
        settle_down().await;
        assert_eq!((layer.in_flight(), ask(&app, post("a")).await.status.as_u16()), (1, 409));
        send.send(data("two")).unwrap();
        drop(send);
        layer.idle().await;
        assert_eq!(ask(&app, post("a")).await.body, "one two");
        assert_eq!(calls.count(), 1);
    }
}

/// LG-81: a body without a client that does not end within the lease, or becomes too long, is given up: done, not kept.
#[tokio::test(start_paused = true)]
async fn bodies_without_a_client() {
    for is_long in [true, false] {
        let (ledger, _) = ledger();
        let layer = builder(&ledger).max_response(5).build().unwrap();
        let (send, body) = channel();
        let body = Arc::new(std::sync::Mutex::new(Some(body)));
        let (app, _) = app(&layer, move |_| {
            let body = body.lock().unwrap().take().expect("one call");
            async { Ok(::http::Response::new(body)) }
        });
        drop(app.clone().oneshot(post("a")).await.unwrap());
        settle_down().await;
        let _ignored = send.send(data(if is_long { "123456" } else { "12345" }));
        settle_down().await;
        assert_eq!(send.is_closed(), is_long);
        if !is_long {
            tokio::time::advance(super::LEASE).await;
            settle_down().await;
        }
        assert!(send.is_closed());
        assert_eq!(ask(&app, post("a")).await.title(), "Already done, answer not kept");
    }
}

/// LG-81: dropped after any number of polls, a request leaves the key free, or an answer: the handler is called once.
#[tokio::test(start_paused = true)]
async fn dropped_anywhere() {
    for polls in 0..6 {
        let (ledger, _) = ledger();
        let layer = builder(&ledger).build().unwrap();
        let (app, calls) = counting(&layer);
        let mut call = sent(&app, post("a"));
        for _ in 0..polls {
            if call.poll().is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(call);
        layer.idle().await;
        assert_eq!((ask(&app, post("a")).await.body, calls.count()), ("call 1".into(), 1), "{polls}");
    }
}

/// LG-81: with `stop_with_client` the handler is dropped with its client, and the key is free at once.
#[tokio::test(start_paused = true)]
async fn stops_with_the_client() {
    let (ledger, _) = ledger();
    let layer = builder(&ledger).stop_with_client().build().unwrap();
    let (app, calls, ended, go) = halfway(&layer);
    let mut call = sent(&app, post("a"));
    assert_pending!(call.poll());
    assert_eq!((calls.count(), layer.in_flight()), (1, 1));
    drop(call);
    ledger_is_quiet(&layer).await;
    let entry = ledger.lookup(&Key::new("http", "a").unwrap()).await.unwrap().unwrap();
    assert_eq!((entry.state, entry.reason.as_deref(), ended.count()), (EntryState::Failed, Some("dropped"), 0));

    go.notify_one();
    assert_eq!(ask(&app, post("a")).await.body, "done");
    assert!(ask(&app, post("a")).await.is_replayed());
    assert_eq!((calls.count(), ended.count()), (2, 1));
}

/// LG-81: so is a body that nobody wants the rest of. The handler has had its effect: done, not kept.
#[tokio::test(start_paused = true)]
async fn bodies_stop_with_the_client() {
    let (ledger, _) = ledger();
    let layer = builder(&ledger).stop_with_client().build().unwrap();
    let (send, body) = channel();
    let body = Arc::new(std::sync::Mutex::new(Some(body)));
    let (app, _) = app(&layer, move |_| {
        let body = body.lock().unwrap().take().expect("one call");
        async { Ok(::http::Response::new(body)) }
    });
    drop(app.clone().oneshot(post("a")).await.unwrap());
    layer.idle().await;
    assert!(send.is_closed());
    assert_eq!(ask(&app, post("a")).await.title(), "Already done, answer not kept");
}

async fn ledger_is_quiet(layer: &seaworthy_ledger::http::IdempotencyKeyLayer<super::Faulty>) {
    layer.idle().await;
    layer.ledger().close().await;
}

/// LG-81: what the store could not record in time is not what `idle` waits for; `close` of the ledger is.
#[tokio::test(start_paused = true)]
async fn idle_and_close() {
    let (ledger, store) = ledger();
    let layer = builder(&ledger).build().unwrap();
    let (app, calls, _, go) = halfway(&layer);
    let mut call = sent(&app, post("a"));
    assert_pending!(call.poll());
    settle_down().await;
    store.set(Fault::Down);
    go.notify_one();
    drop(call);
    layer.idle().await;
    let mut close = task::spawn(ledger.close());
    assert_pending!(close.poll());
    store.set(Fault::None);
    tokio::time::timeout(Duration::from_secs(30), close).await.unwrap();
    let told = ask(&app, post("a")).await;
    assert!(told.is_replayed(), "{told:?}");
    assert_eq!(calls.count(), 1);
}
