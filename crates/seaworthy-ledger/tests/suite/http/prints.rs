use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::http::{Request, Response};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use http_body_util::{BodyExt, Full};
use seaworthy::BoxError;

use super::{Answered, App, Asked, Body, Calls, app, ask, body, builder, channel, counting, data, ledger};

fn request(method: &str, uri: &str, content_type: Option<&str>, text: &'static str) -> Request<Body> {
    let request = Request::builder().method(method).uri(uri).header("idempotency-key", "a");
    let request = if let Some(kind) = content_type { request.header("content-type", kind) } else { request };
    request.body(body(text)).unwrap()
}

async fn echo(request: Asked) -> Answered {
    Ok(Response::new(request.into_body().boxed_unsync()))
}

/// LG-73: another method, path, query, content type or body under the same key is 422, in whatever state the key is but
/// failed, and the handler is not called. The rest of a request may differ.
#[tokio::test(start_paused = true)]
async fn another_request() {
    let (ledger, _) = ledger();
    let (app, calls) = counting(&builder(&ledger).build().unwrap());
    let json = Some("application/json");
    assert_eq!(ask(&app, request("POST", "/orders?to=7", json, "{}")).await.status, 200);
    let others = [
        request("PATCH", "/orders?to=7", json, "{}"),
        request("POST", "/order?to=7", json, "{}"),
        request("POST", "/orders", json, "{}"),
        request("POST", "/orders?to=8", json, "{}"),
        request("POST", "/orders?to=7", Some("text/plain"), "{}"),
        request("POST", "/orders?to=7", None, "{}"),
        request("POST", "/orders?to=7", json, "{ }"),
        request("POST", "/orders?to=7", json, ""),
    ];
    for other in others {
        let told = ask(&app, other).await;
        assert_eq!((told.status.as_u16(), told.title().as_str()), (422, "Idempotency-Key is already used"));
        assert_eq!(told.retry_after(), None);
    }
    let mut again = request("POST", "/orders?to=7", json, "{}");
    again.headers_mut().insert("user-agent", "another".parse().unwrap());
    assert!(ask(&app, again).await.is_replayed());
    assert_eq!(calls.count(), 1);
}

/// LG-73: what stands at the border of two parts belongs to one of them.
#[tokio::test(start_paused = true)]
async fn borders() {
    let (ledger, _) = ledger();
    let (app, _) = counting(&builder(&ledger).build().unwrap());
    assert_eq!(ask(&app, request("POST", "/a", Some("b"), "c")).await.status, 200);
    for (uri, kind, text) in [("/ab", None, "c"), ("/a", Some("bc"), ""), ("/a", None, "bc"), ("/a?b", None, "c")] {
        assert_eq!(ask(&app, request("POST", uri, kind, text)).await.status, 422, "{uri}");
    }
}

/// LG-73: how the body comes does not matter, and the handler gets it as it was, with its trailers.
#[tokio::test(start_paused = true)]
async fn chunks() {
    let (ledger, _) = ledger();
    let (app, calls) = app(&builder(&ledger).build().unwrap(), echo);
    for chunks in [&["two boxes"][..], &["two ", "", "boxes"], &["", "two boxes"]] {
        let (send, body) = channel();
        chunks.iter().for_each(|chunk| send.send(data(chunk)).unwrap());
        send.send(Ok(Frame::trailers([("sum".parse().unwrap(), "7".parse().unwrap())].into_iter().collect()))).unwrap();
        drop(send);
        let told = ask(&app, Request::post("/").header("idempotency-key", "a").body(body).unwrap()).await;
        assert_eq!((told.body, told.trailers.unwrap()["sum"].to_str().unwrap()), ("two boxes".into(), "7"));
    }
    assert_eq!(calls.count(), 1);
}

/// Says what it likes of its length, and counts how often it is asked.
struct Says {
    inner: Body,
    hint: http_body::SizeHint,
    asked: Arc<AtomicUsize>,
}

impl HttpBody for Says {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        std::pin::Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.hint
    }
}

async fn of_length(app: &App, length: usize, said: Option<u64>) -> (u16, usize) {
    let asked = Arc::new(AtomicUsize::new(0));
    let hint = said.map_or_else(http_body::SizeHint::new, http_body::SizeHint::with_exact);
    let body = Says { inner: body(vec![7; length]), hint, asked: Arc::clone(&asked) }.boxed_unsync();
    let request = Request::post("/").header("idempotency-key", format!("{length}")).body(body).unwrap();
    (ask(app, request).await.status.as_u16(), asked.load(Ordering::SeqCst))
}

/// LG-73: a body that is longer than the limit is 413, and one that says so is not read at all, so that no `100 Continue`
/// is sent; one that lies is found out.
#[tokio::test(start_paused = true)]
async fn too_large() {
    let (ledger, store) = ledger();
    let (app, calls) = app(&builder(&ledger).build().unwrap(), echo);
    let limit = 1 << 20;
    assert_eq!(of_length(&app, limit + 1, Some(limit as u64 + 1)).await, (413, 0));
    assert_eq!(of_length(&app, limit + 1, None).await, (413, 1));
    assert_eq!(of_length(&app, limit + 1, Some(3)).await, (413, 1));
    assert_eq!((calls.count(), store.take_calls()), (0, vec![]));
    assert_eq!(of_length(&app, limit, Some(limit as u64)).await.0, 200);
    assert_eq!(of_length(&app, limit, None).await.0, 200);
    assert_eq!(calls.count(), 1);
}

/// LG-73: the limit can be set, to nothing, too; in several chunks, it is the sum that counts.
#[tokio::test(start_paused = true)]
async fn limits() {
    let (ledger, _) = ledger();
    let (app, calls) = counting(&builder(&ledger).max_request(0).build().unwrap());
    assert_eq!(of_length(&app, 0, None).await.0, 200);
    assert_eq!(of_length(&app, 1, None).await.0, 413);

    let (app, _) = counting(&builder(&ledger).max_request(5).build().unwrap());
    for (third, status) in [("5", 200), ("56", 413)] {
        let (send, body) = channel();
        for chunk in ["12", "34", third] {
            send.send(data(chunk)).unwrap();
        }
        drop(send);
        let request = Request::post("/").header("idempotency-key", third).body(body).unwrap();
        assert_eq!(ask(&app, request).await.status, status);
    }
    assert_eq!(calls.count(), 1);
}

/// LG-73: a fingerprint of one's own replaces it: what it does not look at may differ.
#[tokio::test(start_paused = true)]
async fn of_ones_own() {
    let (ledger, _) = ledger();
    let first = |_: &_, body: &Bytes| body.split(|byte| *byte == b' ').next().map(<[u8]>::to_vec).unwrap_or_default();
    let (app, calls) = counting(&builder(&ledger).fingerprint(first).build().unwrap());
    assert_eq!(ask(&app, request("POST", "/a", None, "order 1")).await.status, 200);
    assert!(ask(&app, request("POST", "/b", None, "order 2")).await.is_replayed());
    assert_eq!(ask(&app, request("POST", "/a", None, "refund 1")).await.status, 422);
    assert_eq!(calls.count(), 1);
}

/// LG-73: a fingerprint that needs no body reads none and knows no limit: the handler gets the body as it comes.
#[tokio::test(start_paused = true)]
async fn of_the_head() {
    let (ledger, _) = ledger();
    let path = |head: &::http::request::Parts| head.uri.path().to_owned();
    let layer = builder(&ledger).max_request(3).fingerprint_of_head(path).build().unwrap();
    let length = Calls::default();
    let read = length.clone();
    let (app, calls) = app(&layer, move |request: Asked| {
        let read = read.clone();
        async move {
            let whole = request.into_body().collect().await?.to_bytes();
            whole.iter().for_each(|_| _ = read.add());
            super::ok("done")
        }
    });
    let sent = |uri: &str| Request::post(uri).header("idempotency-key", "a");
    let (send, body) = channel();
    let mut first = super::sent(&app, sent("/a").body(body).unwrap());
    tokio_test::assert_pending!(first.poll());
    super::settle_down().await;
    // Nothing of the body was there when the handler was called.
    assert_eq!((calls.count(), length.count()), (1, 0));
    send.send(data("longer than the limit")).unwrap();
    drop(send);
    assert_eq!(first.await.unwrap().status(), 200);
    assert_eq!(length.count(), 21);
    let other = sent("/a").body(Full::from("x").map_err(|never| match never {}).boxed_unsync()).unwrap();
    assert_eq!(ask(&app, other).await.status, 200);
    assert_eq!(ask(&app, sent("/b").body(super::body("")).unwrap()).await.status, 422);
    assert_eq!(calls.count(), 1);
}

/// LG-73: a body that fails while it is read is 400; nothing was claimed, and the key is good for the next try.
#[tokio::test(start_paused = true)]
async fn body_fails() {
    let (ledger, store) = ledger();
    let (app, calls) = counting(&builder(&ledger).build().unwrap());
    let (send, body) = channel();
    send.send(data("two ")).unwrap();
    send.send(Err("reset by peer".into())).unwrap();
    let told = ask(&app, Request::post("/").header("idempotency-key", "a").body(body).unwrap()).await;
    assert_eq!((told.status.as_u16(), told.title().as_str()), (400, "Request body could not be read"));
    assert_eq!((calls.count(), store.take_calls()), (0, vec![]));
    assert_eq!(ask(&app, super::post("a")).await.status, 200);
}

/// LG-73: while a body does not end, nothing is claimed, and a client that goes away leaves nothing behind.
#[tokio::test(start_paused = true)]
async fn body_never_ends() {
    let (ledger, store) = ledger();
    let layer = builder(&ledger).build().unwrap();
    let (app, calls) = counting(&layer);
    let (send, body) = channel();
    send.send(data("two ")).unwrap();
    let mut call = super::sent(&app, Request::post("/").header("idempotency-key", "a").body(body).unwrap());
    tokio_test::assert_pending!(call.poll());
    tokio::time::advance(super::LEASE * 10).await;
    tokio_test::assert_pending!(call.poll());
    assert_eq!((calls.count(), layer.in_flight(), store.take_calls()), (0, 0, vec![]));
    drop(call);
    assert!(send.is_closed());
}
