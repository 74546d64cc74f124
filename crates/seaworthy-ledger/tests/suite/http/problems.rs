use std::time::Duration;

use ::http::Request;
use seaworthy_ledger::Ledger;
use tower::ServiceExt;

use super::{Told, app, ask, body, builder, channel, counting, ledger, ok, post, settle_down};
use crate::doubles::{Fault, Faulty};

/// One of each kind.
async fn all(docs: Option<&str>) -> Vec<Told> {
    let (ledger, store) = ledger();
    let with = |ledger: &Ledger<Faulty>| {
        let builder = builder(ledger).required().max_request(100).max_response(3);
        docs.into_iter().fold(builder, |builder, docs| builder.docs(docs)).build().unwrap()
    };
    let (instant, _) = app(&with(&ledger), async |_| ok("long"));
    let (hanging, _) = app(&with(&ledger), |_| std::future::pending());
    ask(&instant, post("done")).await;
    let _running = tokio::spawn(hanging.oneshot(post("running")));
    settle_down().await;
    let bare = Request::post("/");
    let other = Request::post("/other").header("idempotency-key", "done").body(body("")).unwrap();
    let large = Request::post("/").header("idempotency-key", "a").body(body("x".repeat(101))).unwrap();
    let (send, failing) = channel();
    send.send(Err("reset by peer".into())).unwrap();
    let failing = Request::post("/").header("idempotency-key", "a").body(failing).unwrap();
    let mut told = vec![
        ask(&instant, bare.body(body("")).unwrap()).await,
        ask(&instant, post("")).await,
        ask(&instant, failing).await,
        ask(&instant, post("running")).await,
        ask(&instant, post("done")).await,
        ask(&instant, large).await,
        ask(&instant, other).await,
    ];
    store.set(Fault::Down);
    told.push(ask(&instant, post("new")).await);
    told
}

const TITLES: [(u16, &str); 8] = [
    (400, "Idempotency-Key is missing"),
    (400, "Idempotency-Key is not usable"),
    (400, "Request body could not be read"),
    (409, "A request is outstanding for this Idempotency-Key"),
    (409, "Already done, answer not kept"),
    (413, "Request body is too large"),
    (422, "Idempotency-Key is already used"),
    (503, "Idempotency-Key could not be checked"),
];

/// LG-79: every error is a problem with type, title and status, to the byte: so there is nothing of the store in it.
#[tokio::test(start_paused = true)]
async fn to_the_byte() {
    for (told, (status, title)) in all(None).await.into_iter().zip(TITLES) {
        assert_eq!(told.body, format!(r#"{{"type":"about:blank","title":"{title}","status":{status}}}"#));
        assert_eq!((told.status.as_u16(), told.title().as_str()), (status, title));
        let waits = [409, 503].contains(&status) && !title.starts_with("Already");
        assert_eq!(told.headers.len(), if waits { 2 } else { 1 }, "{:?}", told.headers);
        assert_eq!(told.retry_after().is_some(), waits);
    }
}

/// LG-79: the type is where the docs are, if that was said, whatever is in the URL.
#[tokio::test(start_paused = true)]
async fn docs() {
    let url = r#"https://developer.example.com/idempotency?"q"=\"#;
    for (told, (status, title)) in all(Some(url)).await.into_iter().zip(TITLES) {
        let problem: serde_json::Value = serde_json::from_slice(&told.body).unwrap();
        assert_eq!(problem, serde_json::json!({ "type": url, "title": title, "status": status }));
    }
}

/// LG-80: a store that is down, refuses or hangs is 503 with `Retry-After: 1`, and the handler is not called; when it is
/// back, it is.
#[tokio::test(start_paused = true)]
async fn fails_closed() {
    for fault in [Fault::Down, Fault::Refused, Fault::Hangs, Fault::LosesAnswers] {
        let (ledger, store) = ledger();
        let layer = builder(&ledger).build().unwrap();
        let (app, calls) = counting(&layer);
        store.set(fault);
        let started = seaworthy_store::time::now();
        let told = ask(&app, post("a")).await;
        assert_eq!((told.status.as_u16(), told.retry_after()), (503, Some(1)), "{fault:?}");
        assert_eq!(told.title(), "Idempotency-Key could not be checked");
        assert!(started.elapsed() <= Duration::from_secs(5));
        assert_eq!((calls.count(), layer.in_flight()), (0, 0));
        // What has no key does not need the store.
        assert_eq!(ask(&app, Request::post("/").body(body("")).unwrap()).await.status, 200);

        store.set(Fault::None);
        assert_eq!(ask(&app, post("a")).await.status, 200);
        assert!(ask(&app, post("a")).await.is_replayed());
        assert_eq!(calls.count(), 2);
    }
}
