use std::time::Duration;

use seaworthy::{BoxError, Deadline};
use seaworthy_ledger::EntryState;
use seaworthy_ledger::IdempotencyError;
use seaworthy_store::time::{now, sleep};
use tokio_test::{assert_pending, task};
use tower::{Layer, Service, ServiceExt};

use super::given::{Request, idempotency, inner, is_running, key, layer, ledger, row, turns};
use crate::doubles::Fault;

const WORK: Duration = Duration::from_secs(100);

/// LG-56: with `run_to_end` a call whose caller is gone goes on: it is answered, completed, and waited for by `close`.
#[tokio::test(start_paused = true)]
async fn the_caller_is_gone() {
    let (ledger, _) = ledger();
    let inner = inner(|request: Request, call| async move {
        sleep(WORK).await;
        Ok::<_, BoxError>(format!("{request} {call}"))
    });
    let count = inner.count.clone();
    let mut service = layer(&ledger).run_to_end().layer(inner);
    let mut call = task::spawn(service.call("a"));
    assert_pending!(call.poll());
    turns().await;
    drop(call);
    turns().await;
    assert!(is_running(&ledger, "a").await);
    let begun = now();
    ledger.close().await;
    assert_eq!(begun.elapsed(), WORK);
    assert_eq!(row(&ledger, "a").await, (EntryState::Done, 1, None));
    assert_eq!(service.call("a").await.unwrap(), "a 1");
    assert_eq!(count.called(), 1);
}

/// LG-56: a caller that stays gets the answer, the error, and what was kept, as without `run_to_end`; a request without
/// a key runs in its caller's task, and is dropped with it.
#[tokio::test(start_paused = true)]
async fn the_caller_stays() {
    let (ledger, store) = ledger();
    let inner = inner(|request: Request, call| async move {
        if request.is_empty() {
            std::future::pending::<()>().await;
        }
        sleep(WORK).await;
        if call == 1 { Err(BoxError::from("not yet")) } else { Ok(format!("{request} {call}")) }
    });
    let count = inner.count.clone();
    let mut service = layer(&ledger).run_to_end().layer(inner);
    assert_eq!(service.call("a").await.unwrap_err().to_string(), "not yet");
    assert_eq!(service.call("a").await.unwrap(), "a 2");
    assert_eq!(service.call("a").await.unwrap(), "a 2");
    let error = service.call("a\n").await.unwrap_err();
    assert!(matches!(idempotency(&error), IdempotencyError::Request(_)));
    store.set_for("claim", Fault::Down);
    let error = service.call("b").await.unwrap_err();
    assert!(matches!(idempotency(&error), IdempotencyError::LedgerDown(_)));
    assert_eq!(count.called(), 2);
    let mut call = task::spawn(service.call(""));
    assert_pending!(call.poll());
    drop(call);
    // Nothing is left that `close` would have to wait for but the renewing.
    ledger.close().await;
    assert_eq!(count.called(), 3);
}

/// LG-56, IN-15: however far a call that runs to its end has come when its caller leaves, it is done once.
#[tokio::test(start_paused = true)]
async fn dropped_after_k_polls() {
    for k in 0..6 {
        let (ledger, _) = ledger();
        let inner = inner(|_: Request, call| async move {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            Ok::<_, BoxError>(call)
        });
        let count = inner.count.clone();
        let mut service = layer(&ledger).run_to_end().layer(inner);
        let mut call = task::spawn(service.call("a"));
        for _ in 0..k {
            if call.poll().is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(call);
        ledger.close().await;
        assert_eq!((row(&ledger, "a").await, count.called()), ((EntryState::Done, 1, None), 1), "k = {k}");
        assert_eq!(service.call("a").await.unwrap(), 1);
    }
}

/// LG-56: the end of the runtime is the end of such a call, too: its caller, if that is on another, gets `Lost`.
#[test]
fn the_runtime_is_gone() {
    let (ledger, _) = ledger();
    let mut service = layer(&ledger).run_to_end().layer(inner(|_: Request, _| std::future::pending()));
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let gone = runtime();
    let mut call = None;
    gone.block_on(async {
        call = Some(service.call("a"));
        turns().await;
    });
    drop(gone);
    let error: BoxError = runtime().block_on(call.unwrap()).map(|answer: String| answer).unwrap_err();
    assert!(matches!(idempotency(&error), IdempotencyError::Lost), "{error:?}");
    assert_eq!(ledger.held(), 0);
}

/// LG-56: the caller's deadline goes with the call.
#[tokio::test(start_paused = true)]
async fn the_deadline_goes_along() {
    let (ledger, _) = ledger();
    let mut service = layer(&ledger).run_to_end().layer(inner(|_: Request, _| async {
        Ok::<_, BoxError>(Deadline::current().map(|deadline| deadline.remaining().as_secs()))
    }));
    let deadline = Deadline::within(Duration::from_secs(7));
    let seconds = deadline.scope(async { service.call("a").await }).await.unwrap();
    assert_eq!(seconds, Some(7));
}

/// LG-57: a panic of a call that runs to its end fails the claim, and reaches its caller, if that is there.
#[tokio::test(start_paused = true)]
async fn panics() {
    let (ledger, _) = ledger();
    let service = layer(&ledger).run_to_end().layer(inner(|_: Request, _| async {
        tokio::task::yield_now().await;
        if true {
            panic!("out of paper");
        }
        Ok::<String, BoxError>(String::new())
    }));
    let stays = tokio::spawn(service.clone().oneshot("a"));
    let panic = stays.await.unwrap_err().into_panic();
    assert_eq!(seaworthy::observe::panic_text(panic), "out of paper");
    assert_eq!(row(&ledger, "a").await, (EntryState::Failed, 1, Some("panicked: out of paper".into())));
    drop(service.clone().call("b"));
    assert_eq!(row(&ledger, "b").await, (EntryState::Failed, 1, Some("panicked: out of paper".into())));
    assert!(ledger.lookup(&key("c")).await.unwrap().is_none());
}
