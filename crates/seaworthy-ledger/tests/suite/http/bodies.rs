use std::time::Duration;

use ::http::{HeaderMap, Response};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use seaworthy_ledger::http::KeyBody;
use seaworthy_ledger::{EntryState, Key, Ledger};
use tower::ServiceExt;

use super::{App, Body, LEASE, Told, app, ask, body, builder, channel, data, ledger, post, settle_down};
use crate::doubles::Faulty;

/// What whoever repeats a request is told whose answer was not kept.
pub(super) fn assert_not_kept(told: &Told) {
    assert_eq!((told.status.as_u16(), told.title().as_str()), (409, "Already done, answer not kept"));
    assert_eq!(told.retry_after(), None);
}

pub(super) async fn state(ledger: &Ledger<Faulty>) -> (EntryState, Option<u64>) {
    let entry = ledger.lookup(&Key::new("http", "a").unwrap()).await.unwrap().unwrap();
    (entry.state, entry.result_len)
}

/// An app that answers with this body once, and never again.
pub(super) fn once(ledger: &Ledger<Faulty>, body: Body) -> App {
    of_response(ledger, Response::new(body))
}

pub(super) fn of_response(ledger: &Ledger<Faulty>, response: Response<Body>) -> App {
    let response = std::sync::Arc::new(std::sync::Mutex::new(Some(response)));
    app(&builder(ledger).max_response(10).build().unwrap(), move |_| {
        let response = response.lock().unwrap().take().expect("one call");
        async { Ok(response) }
    })
    .0
}

pub(super) async fn next(body: &mut KeyBody<Body>) -> Bytes {
    body.frame().await.unwrap().unwrap().into_data().unwrap()
}

/// LG-77: a body that is longer than the limit goes to its client whole, whether or not it says so beforehand; the key is
/// done and not kept. One that is as long as the limit is kept.
#[tokio::test(start_paused = true)]
async fn too_long() {
    for (length, announced) in [(10, true), (11, true), (10, false), (11, false)] {
        let (ledger, _) = ledger();
        let text = "0123456789a".get(..length).unwrap();
        let body = if announced {
            body(text)
        } else {
            let (send, body) = channel();
            text.split_inclusive('4')
                .for_each(|part| send.send(Ok(Frame::data(Bytes::copy_from_slice(part.as_bytes())))).unwrap());
            body
        };
        let app = once(&ledger, body);
        assert_eq!(ask(&app, post("a")).await.body, text);
        settle_down().await;
        let told = ask(&app, post("a")).await;
        if length == 10 {
            assert!(told.is_replayed() && told.body == text);
        } else {
            assert_not_kept(&told);
            assert_eq!(state(&ledger).await, (EntryState::Done, None));
        }
    }
}

/// LG-77: headers or trailers that are too large are not kept either, and cost the client nothing.
#[tokio::test(start_paused = true)]
async fn too_large_a_head() {
    let large = "x".repeat(20 << 10);
    let (of_head, _) = ledger();
    let response = Response::builder().header("location", &large).body(body("ok")).unwrap();
    let (of_trailers, _) = ledger();
    let (send, body) = channel();
    let trailers: HeaderMap = [("sum".parse().unwrap(), large.parse().unwrap())].into_iter().collect();
    send.send(Ok(Frame::trailers(trailers))).unwrap();
    drop(send);
    for (ledger, response) in [(of_head, response), (of_trailers, Response::new(body))] {
        let app = of_response(&ledger, response);
        let told = ask(&app, post("a")).await;
        let fields = told.trailers.as_ref().unwrap_or(&told.headers);
        assert!(fields.values().any(|value| value.len() == large.len()));
        assert_not_kept(&ask(&app, post("a")).await);
    }
}

/// LG-77: an answer that is not kept although it should be is told, with the reason; one that is kept is not, nor is one
/// whose client left with its handler.
#[tokio::test(start_paused = true)]
async fn told() {
    let cases = [
        (Some(data("123456")), false, Some("its body is longer than max_response")),
        (Some(Err("the disk is gone".into())), false, Some("its body failed")),
        (None, false, Some("its body did not end within the lease")),
        (None, true, None),
        (Some(data("12345")), false, None),
    ];
    for (frame, stops, reason) in cases {
        let (told, observer) = crate::handle::events::recorder();
        let ledger = Ledger::with_store("tests", Faulty::default()).observer(observer).build().unwrap();
        let layer = builder(&ledger).max_response(5);
        let layer = if stops { layer.stop_with_client() } else { layer }.build().unwrap();
        let (send, body) = channel();
        let body = std::sync::Arc::new(std::sync::Mutex::new(Some(body)));
        let (app, _) = app(&layer, move |_| {
            let body = body.lock().unwrap().take().expect("one call");
            async { Ok(Response::new(body)) }
        });
        let response = app.oneshot(post("a")).await.unwrap();
        let is_endless = frame.is_none();
        if let Some(frame) = frame {
            send.send(frame).unwrap();
        }
        let _sends_no_more = is_endless.then_some(send);
        drop(response);
        if is_endless && !stops {
            settle_down().await;
            tokio::time::advance(LEASE).await;
        }
        settle_down().await;
        let lines = told.lines();
        let texts: Vec<_> = lines.iter().filter(|line| line.kind == "not_encoded").map(|line| &line.text[..]).collect();
        let expected: Vec<_> = reason.map(|reason| format!("key=http/a error={reason} ")).into_iter().collect();
        assert_eq!(texts, expected);
        let (state, length) = state(&ledger).await;
        assert_eq!((state, length.is_some()), (EntryState::Done, reason.is_none() && !stops));
    }
}

/// LG-77: a body that has not ended within the lease goes on to its client; its key is done and not kept from then on,
/// and not a moment before.
#[tokio::test(start_paused = true)]
async fn too_slow() {
    let (ledger, _) = ledger();
    let (send, body) = channel();
    let app = once(&ledger, body);
    let mut body = app.clone().oneshot(post("a")).await.unwrap().into_body();
    send.send(data("one")).unwrap();
    assert_eq!(next(&mut body).await, "one");
    for _ in 0..59 {
        tokio::time::advance(Duration::from_secs(1)).await;
        settle_down().await;
    }
    assert_eq!(ask(&app, post("a")).await.title(), "A request is outstanding for this Idempotency-Key");
    tokio::time::advance(Duration::from_secs(1)).await;
    settle_down().await;
    assert_not_kept(&ask(&app, post("a")).await);
    // The client has noticed nothing.
    send.send(data("two")).unwrap();
    drop(send);
    assert_eq!(body.collect().await.unwrap().to_bytes(), "two");
    assert_not_kept(&ask(&app, post("a")).await);
}

/// LG-76: a body that is not kept passes as it is, and is not waited for: its key is free with its head.
#[tokio::test(start_paused = true)]
async fn not_kept() {
    let (ledger, _) = ledger();
    let (send, body) = channel();
    let app = of_response(&ledger, Response::builder().status(503).body(body).unwrap());
    let response = app.clone().oneshot(post("a")).await.unwrap();
    assert_eq!(state(&ledger).await.0, EntryState::Failed);
    send.send(data("at once")).unwrap();
    drop(send);
    assert_eq!(super::read(response).await.body, "at once");
}

/// LG-75: a record that is none of a response, such as one of a job in the same ledger, is never taken for one.
#[tokio::test(start_paused = true)]
async fn foreign_records() {
    use seaworthy_ledger::{Claimed, Completion};

    let foreign = [
        Completion::new("receipt"),
        Completion::not_kept(),
        Completion::failed_for_good("no"),
        Completion::new("receipt").content_type("http-response/1"),
        Completion::new("").content_type("http-response/1"),
    ];
    for completion in foreign {
        let (ledger, _) = ledger();
        let Claimed::Mine(claim) = ledger.claim(&Key::new("http", "a").unwrap()).await.unwrap() else { panic!() };
        assert!(claim.complete(completion).await.unwrap().is_yes());
        assert_not_kept(&ask(&once(&ledger, Full::default().map_err(|n| match n {}).boxed_unsync()), post("a")).await);
    }
}
