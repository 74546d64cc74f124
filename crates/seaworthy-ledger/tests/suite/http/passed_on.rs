use std::time::Duration;

use ::http::Response;
use bytes::Bytes;
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, Limited};
use seaworthy_ledger::EntryState;
use seaworthy_ledger::http::KeyBody;
use tokio_test::{assert_pending, task};
use tower::ServiceExt;

use super::bodies::{assert_not_kept, next, of_response, once, state};
use super::{Body, ask, body, channel, data, ledger, post, settle_down};
use crate::doubles::Fault;

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
