use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::http::{HeaderMap, Request, Response};
use http_body::Frame;
use seaworthy::{Deadline, Rejected};
use seaworthy_ledger::http::IdempotencyKey;
use seaworthy_ledger::{ClaimRef, EntryState, Key};
use tokio::sync::Notify;
use tower::ServiceExt;

use super::{
    Answered, Asked, LEASE, app, ask, body, builder, channel, data, ledger, ok, post, settle_down, with_status,
};
use crate::doubles::{Fault, Faulty};

fn key(value: &str) -> Key {
    Key::new("http", value).unwrap()
}

/// LG-74: while the first runs, the same request is 409, with the time to the end of the lease in whole seconds, rounded
/// up; when it has ended there is its answer.
#[tokio::test(start_paused = true)]
async fn outstanding() {
    let (ledger, _) = ledger();
    let go = Arc::new(Notify::new());
    let wait = Arc::clone(&go);
    let (app, calls) = app(&builder(&ledger).build().unwrap(), move |_| {
        let wait = Arc::clone(&wait);
        async move {
            wait.notified().await;
            ok("done")
        }
    });
    let first = tokio::spawn(app.clone().oneshot(post("a")));
    settle_down().await;
    // 60, 49.5 and 41 s are left; at 20 s the lease is renewed.
    for (passed, seconds) in [(0, 60), (10_500, 50), (8_500, 41)] {
        tokio::time::advance(Duration::from_millis(passed)).await;
        let told = ask(&app, post("a")).await;
        assert_eq!((told.status.as_u16(), told.retry_after()), (409, Some(seconds)));
        assert_eq!(told.title(), "A request is outstanding for this Idempotency-Key");
    }
    // However long it takes, it is one call, and nobody is told to wait for longer than the lease.
    for _ in 0..30 {
        tokio::time::advance(Duration::from_secs(10)).await;
        settle_down().await;
        let told = ask(&app, post("a")).await;
        assert!(told.status == 409 && told.retry_after().is_some_and(|seconds| (1..=60).contains(&seconds)));
    }
    go.notify_one();
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    settle_down().await;
    assert!(ask(&app, post("a")).await.is_replayed());
    assert_eq!(calls.count(), 1);
}

fn rich() -> Answered {
    let response = Response::builder()
        .status(201)
        .header("content-type", "application/json")
        .header("content-encoding", "identity")
        .header("location", "/orders/7")
        .header("etag", "\"7\"")
        .header("link", "</a>; rel=a")
        .header("link", "</b>; rel=b")
        .header("date", "Mon, 30 Nov 2026 18:00:00 GMT")
        .header("set-cookie", "session=7")
        .header("connection", "keep-alive")
        .header("keep-alive", "timeout=5")
        .header("x-request-cost", "3")
        .header("x-order", "n7");
    let (send, body) = channel();
    send.send(data("{\"order\"")).unwrap();
    send.send(data(":7}\0")).unwrap();
    let trailers: HeaderMap = [("grpc-status".parse().unwrap(), "0".parse().unwrap())].into_iter().collect();
    send.send(Ok(Frame::trailers(trailers))).unwrap();
    Ok(response.body(body).unwrap())
}

/// LG-75: a replay has the status, the headers that say what the body is and where it belongs, the body byte for byte and
/// its trailers, and says that it is one. What is of one connection, one moment or one client is not kept.
#[tokio::test(start_paused = true)]
async fn replayed() {
    let (ledger, _) = ledger();
    let layer = builder(&ledger).keep_header("x-order".parse().unwrap()).build().unwrap();
    let (app, calls) = app(&layer, async |_| rich());
    let first = ask(&app, post("a")).await;
    assert!(!first.is_replayed() && first.headers.contains_key("date"));
    for _ in 0..3 {
        let told = ask(&app, post("a")).await;
        assert_eq!((told.status.as_u16(), &told.body[..]), (201, &b"{\"order\":7}\0"[..]));
        assert_eq!(told.trailers.as_ref(), first.trailers.as_ref());
        let mut names: Vec<_> = told.headers.keys().map(|name| name.as_str()).collect();
        names.sort_unstable();
        let kept = ["content-encoding", "content-type", "etag", "idempotency-replayed", "link", "location", "x-order"];
        assert_eq!(names, kept);
        for name in &kept[..3] {
            assert_eq!(told.headers[*name], first.headers[*name]);
        }
        let links: Vec<_> = told.headers.get_all("link").iter().collect();
        assert_eq!(links, ["</a>; rel=a", "</b>; rel=b"]);
    }
    assert_eq!(calls.count(), 1);
}

/// LG-75: an answer is known for as long as it is to be kept, and no longer.
#[tokio::test(start_paused = true)]
async fn kept_for() {
    let (ledger, _) = ledger();
    let (default, _) = super::counting(&builder(&ledger).build().unwrap());
    let hour = Duration::from_secs(3600);
    let (short, calls) = super::counting(&builder(&ledger).keep(hour).build().unwrap());
    ask(&default, post("day")).await;
    ask(&short, post("hour")).await;
    tokio::time::advance(hour - Duration::from_millis(1)).await;
    assert_eq!(ledger.sweep().await.unwrap(), 0);
    assert!(ask(&short, post("hour")).await.is_replayed());
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(ledger.sweep().await.unwrap(), 1);
    assert!(!ask(&short, post("hour")).await.is_replayed());
    assert_eq!(calls.count(), 2);
    tokio::time::advance(hour * 23 - Duration::from_millis(1)).await;
    ledger.sweep().await.unwrap();
    assert!(ask(&default, post("day")).await.is_replayed());
    tokio::time::advance(Duration::from_millis(1)).await;
    ledger.sweep().await.unwrap();
    assert!(ledger.lookup(&key("day")).await.unwrap().is_none());
}

/// LG-76: 2xx, 3xx, and 4xx but seven are kept; with those, 5xx and beyond the key is free again at once.
#[tokio::test(start_paused = true)]
async fn which_are_kept() {
    let (ledger, _) = ledger();
    let (app, calls) = app(&builder(&ledger).build().unwrap(), async |request: Asked| {
        with_status(request.headers()["wanted"].to_str().unwrap().parse().unwrap())
    });
    for status in 200..=999_u16 {
        let wanted = || {
            let mut request = post(&format!("{status}"));
            request.headers_mut().insert("wanted", status.into());
            request
        };
        let before = calls.count();
        for _ in 0..2 {
            assert_eq!(ask(&app, wanted()).await.status.as_u16(), status);
        }
        let is_kept = status < 500 && ![401, 403, 408, 409, 421, 425, 429].contains(&status);
        assert_eq!(calls.count() - before, if is_kept { 1 } else { 2 }, "{status}");
        let entry = ledger.lookup(&key(&format!("{status}"))).await.unwrap().unwrap();
        assert_eq!(entry.state, if is_kept { EntryState::Done } else { EntryState::Failed });
        let reason = entry.reason.as_deref().map(str::to_owned);
        assert_eq!(reason, (!is_kept).then(|| format!("status {status}")));
    }
}

/// LG-76: a closure decides otherwise, by the head; a key that was freed takes another request, too.
#[tokio::test(start_paused = true)]
async fn keep_if() {
    let (ledger, _) = ledger();
    let layer = builder(&ledger).keep_if(|head| head.headers.contains_key("final")).build().unwrap();
    let (app, calls) = app(&layer, async |request: Asked| {
        let mut response = with_status(500)?;
        if request.uri().path() == "/final" {
            response.headers_mut().insert("final", "yes".parse()?);
        }
        Ok(response)
    });
    let to = |path: &str| Request::post(path).header("idempotency-key", "a").body(body("")).unwrap();
    for _ in 0..2 {
        assert_eq!(ask(&app, to("/again")).await.status, 500);
    }
    assert_eq!(calls.count(), 2);
    for _ in 0..2 {
        assert_eq!(ask(&app, to("/final")).await.status, 500);
    }
    assert_eq!(calls.count(), 3);
    assert_eq!(ask(&app, to("/again")).await.status, 422);
}

/// LG-76: what answers with a switch of protocols passes, and is not kept, whatever `keep_if` says.
#[tokio::test(start_paused = true)]
async fn upgrades() {
    let (ledger, _) = ledger();
    let (app, calls) = app(&builder(&ledger).keep_if(|_| true).build().unwrap(), async |_| with_status(101));
    for _ in 0..2 {
        assert_eq!(ask(&app, post("a")).await.status, 101);
    }
    assert_eq!(calls.count(), 2);
}

/// LG-76: an error goes to the client as it is, and frees the key with its text; one that says that the handler was not
/// called leaves no trace.
#[tokio::test(start_paused = true)]
async fn errors() {
    let (ledger, _) = ledger();
    let (app, calls) = app(&builder(&ledger).build().unwrap(), async |request: Asked| match request.uri().path() {
        "/busy" => Err(Rejected::BulkheadFull { name: "orders".into(), retry_after: None.into() }.into()),
        _ => Err("the disk is full".into()),
    });
    let to = |path: &str| Request::post(path).header("idempotency-key", path).body(body("")).unwrap();
    for path in ["/busy", "/full"] {
        for _ in 0..2 {
            assert!(app.clone().oneshot(to(path)).await.is_err());
        }
    }
    assert_eq!(calls.count(), 4);
    let [busy, full] = ["/busy", "/full"].map(key);
    let busy = ledger.lookup(&busy).await.unwrap().unwrap();
    assert_eq!((busy.state, busy.grants, busy.reason), (EntryState::Failed, 0, None));
    let full = ledger.lookup(&full).await.unwrap().unwrap();
    assert_eq!((full.grants, full.reason.as_deref()), (2, Some("the disk is full")));
}

/// LG-76: a panic frees the key, and goes on in the task of the client, where the server sees it.
#[tokio::test(start_paused = true)]
async fn panics() {
    let (ledger, _) = ledger();
    for stops in [false, true] {
        let builder = builder(&ledger);
        let builder = if stops { builder.stop_with_client() } else { builder };
        let layer = builder.build().unwrap();
        let (app, calls) = app(&layer, async |request: Asked| panic!("out of {}", request.uri().path()));
        for _ in 0..2 {
            let panic = tokio::spawn(app.clone().oneshot(post("a"))).await.unwrap_err().into_panic();
            assert_eq!(panic.downcast_ref::<String>().unwrap(), "out of /orders");
        }
        assert_eq!((calls.count(), layer.in_flight()), (2, 0));
        let entry = ledger.lookup(&key("a")).await.unwrap().unwrap();
        assert_eq!((entry.state, entry.reason.as_deref()), (EntryState::Failed, Some("panicked: out of /orders")));
    }
}

/// LG-55: a handler knows its claim, whatever the store is, and has the deadline of its caller; what passes has no claim.
#[tokio::test(start_paused = true)]
async fn what_a_handler_knows() {
    let (ledger, _) = ledger();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&seen);
    let (app, _) = app(&builder(&ledger).build().unwrap(), move |request: Asked| {
        let key = request.extensions().get::<IdempotencyKey>().cloned();
        let claim = request.extensions().get::<ClaimRef<Faulty>>().cloned();
        if let (Some(key), Some(claim)) = (&key, &claim) {
            assert_eq!((key.key(), key.fence(), key.is_first()), (claim.key(), claim.fence(), claim.is_first()));
            assert_eq!(key.downstream_key(), claim.idempotency_key());
            assert!(!key.lost().is_requested());
        }
        tell.lock().unwrap().push((key.map(|key| key.fence()), claim.is_some(), Deadline::current()));
        async { with_status(503) }
    });
    let deadline = Deadline::within(Duration::from_secs(5));
    deadline.scope(ask(&app, post("a"))).await;
    ask(&app, post("a")).await;
    ask(&app, Request::put("/").header("idempotency-key", "a").body(body("")).unwrap()).await;
    let seen = seen.lock().unwrap();
    assert_eq!(*seen, [(Some(1), true, Some(deadline)), (Some(2), true, None), (None, false, None)]);
}

/// LG-55: a handler whose claim is lost is dropped; its client is told to come back, and nothing is recorded.
#[tokio::test(start_paused = true)]
async fn lost() {
    let (ledger, store) = ledger();
    let kept = Arc::new(());
    let held = Arc::clone(&kept);
    let (app, calls) = app(&builder(&ledger).build().unwrap(), move |_| {
        let held = Arc::clone(&held);
        async move {
            let _held = held;
            std::future::pending().await
        }
    });
    let call = tokio::spawn(app.clone().oneshot(post("a")));
    settle_down().await;
    let holding = Arc::strong_count(&kept);
    assert_eq!(calls.count(), 1);
    store.set(Fault::Down);
    // The local end.
    for _ in 0..56 {
        assert!(!call.is_finished());
        tokio::time::advance(Duration::from_secs(1)).await;
        settle_down().await;
    }
    let told = super::read(call.await.unwrap().unwrap()).await;
    assert_eq!((told.status.as_u16(), told.retry_after()), (503, Some(1)));
    assert!(Arc::strong_count(&kept) < holding);
    store.set(Fault::None);
    assert!(matches!(ledger.lookup(&key("a")).await.unwrap().unwrap().state, EntryState::Running { .. }));
    tokio::time::advance(LEASE).await;
    let _again = tokio::spawn(app.clone().oneshot(post("a")));
    settle_down().await;
    assert_eq!(calls.count(), 2);
}
