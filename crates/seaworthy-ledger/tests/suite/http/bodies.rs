use std::time::Duration;

use ::http::{HeaderMap, Response};
use bytes::Bytes;
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, Full, Limited};
use seaworthy_ledger::http::KeyBody;
use seaworthy_ledger::{EntryState, Key, Ledger};
use tokio_test::{assert_pending, task};
use tower::ServiceExt;

use super::{App, Body, LEASE, Told, app, ask, body, builder, channel, data, ledger, post, settle_down};
use crate::doubles::{Fault, Faulty};

/// What whoever repeats a request is told whose answer was not kept.
fn assert_not_kept(told: &Told) {
    assert_eq!((told.status.as_u16(), told.title().as_str()), (409, "Already done, answer not kept"));
    assert_eq!(told.retry_after(), None);
}

async fn state(ledger: &Ledger<Faulty>) -> (EntryState, Option<u64>) {
    let entry = ledger.lookup(&Key::new("http", "a").unwrap()).await.unwrap().unwrap();
    (entry.state, entry.result_len)
}

/// An app that answers with this body once, and never again.
fn once(ledger: &Ledger<Faulty>, body: Body) -> App {
    of_response(ledger, Response::new(body))
}

fn of_response(ledger: &Ledger<Faulty>, response: Response<Body>) -> App {
    let response = std::sync::Arc::new(std::sync::Mutex::new(Some(response)));
    app(&builder(ledger).max_response(10).build().unwrap(), move |_| {
        let response = response.lock().unwrap().take().expect("one call");
        async { Ok(response) }
    })
    .0
}

async fn next(body: &mut KeyBody<Body>) -> Bytes {
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

/// LG-78: a chunk is there as soon as the handler has it, and not when the body has ended; meanwhile the key is running.
#[tokio::test(start_paused = true)]
async fn chunk_by_chunk() {
    let (ledger, _) = ledger();
    let (send, body) = channel();
    let app = once(&ledger, body);
    let mut body = app.clone().oneshot(post("a")).await.unwrap().into_body();
    for chunk in ["one", "", "two"] {
        assert_pending!(task::spawn(body.frame()).poll());
        send.send(data(chunk)).unwrap();
        assert_eq!(next(&mut body).await, chunk);
        assert!(!body.is_end_stream());
        assert_eq!(ask(&app, post("a")).await.status, 409);
    }
    drop(send);
    assert!(body.frame().await.is_none() && body.is_end_stream());
    assert_eq!(ask(&app, post("a")).await.body, "onetwo");
}

/// LG-78: the client gets the end of a body when it has been recorded: whoever has the whole answer is never told that
/// its request is outstanding. The end is known by the body, by its size, or by the length in the head.
#[tokio::test(start_paused = true)]
async fn recorded_before_the_end() {
    let streamed = || {
        let (send, body) = channel();
        send.send(data("whole")).unwrap();
        (send, body)
    };
    let (sized, unsized_) = (body("whole"), streamed());
    let with_length = streamed();
    let headed = Response::builder().header("content-length", "5").body(with_length.1).unwrap();
    let (of_exact_size, limited) = streamed();
    let limited = Limited::new(Sized(limited), 100).boxed_unsync();
    let cases = [
        (Response::new(sized), true),
        (headed, true),
        (Response::new(limited), true),
        (Response::new(unsized_.1), false),
    ];
    for (response, knows_its_end) in cases {
        let (ledger, store) = ledger();
        let app = of_response(&ledger, response);
        let mut body = app.clone().oneshot(post("a")).await.unwrap().into_body();
        store.set(Fault::Slow(Duration::from_secs(2)));
        let mut frame = task::spawn(async {
            let data = next(&mut body).await;
            (data, body)
        });
        assert_eq!(frame.poll().is_pending(), knows_its_end);
        if knows_its_end {
            settle_down().await;
            tokio::time::advance(Duration::from_secs(1)).await;
            assert_pending!(frame.poll());
            tokio::time::advance(Duration::from_secs(1)).await;
            settle_down().await;
            store.set(Fault::None);
            let (data, body) = frame.await;
            assert_eq!((data, state(&ledger).await.0), (Bytes::from("whole"), EntryState::Done));
            // As a server does it that has written what it announced.
            drop(body);
            settle_down().await;
            assert_eq!(ask(&app, post("a")).await.body, "whole");
        }
    }
    drop((unsized_.0, with_length.0, of_exact_size));
}

/// Says that it is five bytes long, and does not say when it has ended.
struct Sized(Body);

impl http_body::Body for Sized {
    type Data = Bytes;
    type Error = seaworthy::BoxError;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        std::pin::Pin::new(&mut self.0).poll_frame(cx)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(5)
    }
}

/// LG-78: an empty body is recorded before its head is given, because no server asks for its end.
#[tokio::test(start_paused = true)]
async fn empty_bodies() {
    let (ledger, _) = ledger();
    let app = of_response(&ledger, Response::builder().status(204).body(super::empty()).unwrap());
    let response = app.clone().oneshot(post("a")).await.unwrap();
    assert_eq!(state(&ledger).await.0, EntryState::Done);
    assert!(response.body().is_end_stream() && KeyBody::<Body>::default().is_end_stream());
    let told = ask(&app, post("a")).await;
    assert!(told.status == 204 && told.is_replayed());
}

/// LG-78: a store that goes down after the handler has answered costs the client no more than the request to the store
/// may take; the answer is recorded when it is back.
#[tokio::test(start_paused = true)]
async fn store_goes_down() {
    for fault in [Fault::Down, Fault::Hangs] {
        let (ledger, store) = ledger();
        let app = once(&ledger, body("done"));
        let response = app.clone().oneshot(post("a")).await.unwrap();
        store.set(fault);
        let started = seaworthy_store::time::now();
        assert_eq!(super::read(response).await.body, "done");
        assert!(started.elapsed() <= Duration::from_secs(5), "{fault:?}");
        assert_eq!(started.elapsed().is_zero(), fault == Fault::Down);
        store.set(Fault::None);
        seaworthy_store::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(ask(&app, post("a")).await.body, "done", "{fault:?}");
    }
}

/// LG-78: a store that does not take the answer is told that it was done: the handler is not called again.
#[tokio::test(start_paused = true)]
async fn store_refuses() {
    let (ledger, store) = ledger();
    let app = once(&ledger, body("done"));
    let response = app.clone().oneshot(post("a")).await.unwrap();
    store.set(Fault::Refused);
    store.take_calls();
    assert_eq!(super::read(response).await.body, "done");
    assert_eq!(store.take_calls(), ["settle", "settle"]);
    store.set(Fault::None);
    // Not even that was taken: the lease is what is left.
    assert_eq!(ask(&app, post("a")).await.status, 409);
}

/// LG-78: a body that fails after a status that is kept: done, not kept. The client gets the error.
#[tokio::test(start_paused = true)]
async fn fails() {
    let (ledger, _) = ledger();
    let (send, body) = channel();
    let app = once(&ledger, body);
    let mut body = app.clone().oneshot(post("a")).await.unwrap().into_body();
    send.send(data("half")).unwrap();
    assert_eq!(next(&mut body).await, "half");
    send.send(Err("the disk is gone".into())).unwrap();
    assert_eq!(body.frame().await.unwrap().unwrap_err().to_string(), "the disk is gone");
    assert!(body.frame().await.is_none());
    settle_down().await;
    assert_not_kept(&ask(&app, post("a")).await);
}

/// LG-78: so is one that panics, on its way to the client or read to its end without one; the key is not left to its
/// lease.
#[tokio::test(start_paused = true)]
async fn panics() {
    struct Panics;

    impl http_body::Body for Panics {
        type Data = Bytes;
        type Error = seaworthy::BoxError;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            panic!("out of paper")
        }
    }

    for is_read in [true, false] {
        let (ledger, _) = ledger();
        let app = once(&ledger, Panics.boxed_unsync());
        let response = app.clone().oneshot(post("a")).await.unwrap();
        if is_read {
            assert!(tokio::spawn(response.into_body().collect()).await.unwrap_err().is_panic());
        } else {
            drop(response);
        }
        settle_down().await;
        assert_not_kept(&ask(&app, post("a")).await);
    }
}

/// LG-78: of a body that announces less than it has, or ends with chunks of nothing, the client gets all.
#[tokio::test(start_paused = true)]
async fn lies() {
    for (length, chunks) in [("3", &["one", "two"][..]), ("3", &["one", "", ""]), ("0", &["one"]), ("99", &["one"])] {
        let (ledger, _) = ledger();
        let (send, body) = channel();
        chunks.iter().for_each(|chunk| send.send(data(chunk)).unwrap());
        drop(send);
        let app = of_response(&ledger, Response::builder().header("content-length", length).body(body).unwrap());
        assert_eq!(ask(&app, post("a")).await.body, chunks.concat(), "{length} {chunks:?}");
        settle_down().await;
        assert_eq!(ask(&app, post("a")).await.status, 200);
    }
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
