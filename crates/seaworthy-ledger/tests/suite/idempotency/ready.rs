use seaworthy::BoxError;
use seaworthy_ledger::EntryState;
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};
use tower::{Layer, Service, ServiceExt};
use tower_test::mock;

use super::given::{Request, entry, guarded, is_running, layer, ledger, row};

/// LG-59: `poll_ready` claims nothing, and asks nobody; a ready clone that is never called holds nothing.
#[tokio::test(start_paused = true)]
async fn a_ready_clone_holds_nothing() {
    let (ledger, store) = ledger();
    let (service, count) = guarded(&ledger);
    let mut idle = task::spawn(service.clone());
    for _ in 0..3 {
        assert_ready_ok!(idle.enter(|cx, mut idle| idle.poll_ready(cx)));
    }
    let copy = idle.clone();
    assert_eq!((count.touched(), ledger.held(), store.take_calls().len()), ((0, 0), 0, 0));
    // The others are not kept waiting by them.
    assert_eq!(service.clone().oneshot("a").await.unwrap(), "a 1");
    assert_eq!(service.oneshot("").await.unwrap(), " 2");
    drop((idle, copy));
    assert_eq!(row(&ledger, "a").await, (EntryState::Done, 1, None));
}

/// LG-59: the inner service is made ready by the call that needs it, once the key was claimed; a call that waits for it
/// holds its key, and keeps no other call waiting.
#[tokio::test(start_paused = true)]
async fn ready_late() {
    let (ledger, _) = ledger();
    let (inner, mut handle) = mock::pair::<Request, String>();
    handle.allow(0);
    let mut service = layer(&ledger).layer(inner);
    let mut first = task::spawn(service.call("a"));
    assert_pending!(first.poll());
    assert!(is_running(&ledger, "a").await);
    let mut other = task::spawn(service.call("b"));
    assert_pending!(other.poll());
    handle.allow(2);
    assert!(first.is_woken() && other.is_woken());
    assert_pending!(first.poll());
    let (request, respond) = handle.next_request().await.unwrap();
    assert_eq!(request, "a");
    respond.send_response("paid".into());
    assert!(first.is_woken());
    assert_eq!(assert_ready!(first.poll()).unwrap(), "paid");
    assert_pending!(other.poll());
    drop(other);
    assert_eq!(row(&ledger, "b").await.2, Some("dropped".into()));
}

/// LG-59: a request without a key waits for an inner service that is not ready in its future, too, and is answered with
/// the error of one that cannot be; it is not called then.
#[tokio::test(start_paused = true)]
async fn ready_late_without_a_key() {
    let (ledger, store) = ledger();
    let (inner, mut handle) = mock::pair::<Request, String>();
    handle.allow(0);
    let mut service = layer(&ledger).layer(inner);
    let mut call = task::spawn(service.call(""));
    assert_pending!(call.poll());
    handle.allow(1);
    assert!(call.is_woken());
    assert_pending!(call.poll());
    let (_, respond) = handle.next_request().await.unwrap();
    respond.send_response("seen".into());
    assert_eq!(call.await.unwrap(), "seen");
    handle.send_error("closed for today");
    let error = service.call("").await.unwrap_err();
    assert_eq!(error.to_string(), "closed for today");
    // It is the same for a call that waits.
    assert_eq!(store.take_calls().len(), 0);
    assert!(tokio::time::timeout(std::time::Duration::from_secs(1), handle.next_request()).await.is_err());
}

/// LG-59, LG-54: an inner service that cannot be ready was not called: its error reaches the caller, and the key is
/// given back.
#[tokio::test(start_paused = true)]
async fn cannot_be_ready() {
    let (ledger, _) = ledger();
    let (inner, mut handle) = mock::pair::<Request, String>();
    handle.send_error("closed for today");
    let mut service = layer(&ledger).layer(inner);
    let error = service.call("a").await.unwrap_err();
    assert_eq!(error.to_string(), "closed for today");
    assert_eq!(row(&ledger, "a").await, (EntryState::Failed, 0, None));
    assert!(entry(&ledger, "a").await.unwrap().finished_at.is_some());
}

/// Neither `Send` nor `'static` is asked for, but with `run_to_end`.
#[tokio::test(start_paused = true)]
async fn a_service_that_cannot_be_sent() {
    let (ledger, _) = ledger();
    let calls = std::cell::Cell::new(0);
    let service = layer(&ledger).layer(tower::service_fn(|request: Request| {
        let (calls, local) = (&calls, std::rc::Rc::new(request));
        async move {
            tokio::task::yield_now().await;
            calls.set(calls.get() + 1);
            Ok::<_, BoxError>(format!("{local} {}", calls.get()))
        }
    }));
    assert_eq!(service.clone().oneshot("a").await.unwrap(), "a 1");
    assert_eq!(service.oneshot("a").await.unwrap(), "a 1");
    assert_eq!(calls.get(), 1);
}
