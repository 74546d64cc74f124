use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use seaworthy::BoxError;
use seaworthy_ledger::{Claimed, EntryState};
use tokio_test::{assert_pending, task};
use tower::{Layer, Service};

use super::given::{Request, inner, is_running, key, layer, ledger, numbered, row, turns};
use crate::doubles::Fault;

/// LG-56: a call that is dropped once the inner service was called is failed as "dropped"; the inner future goes first,
/// so that nobody has the key while it still holds something.
#[tokio::test(start_paused = true)]
async fn dropped_after_the_call() {
    let (ledger, _) = ledger();
    let (held, ledger_of_inner) = (Arc::new(AtomicUsize::new(0)), ledger.clone());
    struct Holds(Arc<AtomicUsize>, seaworthy_ledger::Ledger<crate::doubles::Faulty>);
    impl Drop for Holds {
        fn drop(&mut self) {
            self.0.store(self.1.held(), Ordering::Relaxed);
        }
    }
    let holds = Arc::clone(&held);
    let mut service = layer(&ledger).layer(inner(move |_: Request, _| {
        let holds = Holds(Arc::clone(&holds), ledger_of_inner.clone());
        async move {
            let _holds = holds;
            std::future::pending::<Result<String, BoxError>>().await
        }
    }));
    let mut call = task::spawn(service.call("a"));
    assert_pending!(call.poll());
    assert!(is_running(&ledger, "a").await);
    drop(call);
    assert_eq!(held.load(Ordering::Relaxed), 1, "the claim was held when the inner future was dropped");
    assert_eq!(row(&ledger, "a").await, (EntryState::Failed, 1, Some("dropped".into())));
    assert_eq!(ledger.held(), 0);
}

/// LG-56: one that is dropped before that is given back, as if nobody had asked: while the key is claimed, and while the
/// inner service is not ready.
#[tokio::test(start_paused = true)]
async fn dropped_before_the_call() {
    let (ledger, store) = ledger();
    let (mock, mut handle) = tower_test::mock::pair::<Request, String>();
    handle.allow(0);
    let mut service = layer(&ledger).layer(mock);
    let mut call = task::spawn(service.call("a"));
    assert_pending!(call.poll());
    assert!(is_running(&ledger, "a").await);
    drop(call);
    assert_eq!(row(&ledger, "a").await, (EntryState::Failed, 0, None));

    store.set_for("claim", Fault::Hangs);
    let mut call = task::spawn(service.call("a"));
    assert_pending!(call.poll());
    drop(call);
    drop(service.call("b"));
    store.heal();
    assert_eq!(row(&ledger, "a").await, (EntryState::Failed, 0, None));
    assert!(ledger.lookup(&key("b")).await.unwrap().is_none(), "a call that is not polled claims nothing");
    drop(service);
    assert!(handle.next_request().await.is_none());
}

/// LG-56: one that is dropped while the outcome is being recorded is recorded all the same.
#[tokio::test(start_paused = true)]
async fn dropped_while_it_is_recorded() {
    let (ledger, store) = ledger();
    let inner = numbered();
    let count = inner.count.clone();
    let mut service = layer(&ledger).layer(inner);
    store.set_for("settle", Fault::Hangs);
    let mut call = task::spawn(service.call("a"));
    assert_pending!(call.poll());
    assert_eq!(count.called(), 1);
    drop(call);
    store.heal();
    assert_eq!(row(&ledger, "a").await, (EntryState::Done, 1, None));
    assert_eq!(service.call("a").await.unwrap(), "a 1");
    assert_eq!(count.called(), 1);
}

/// IN-15: a call that is dropped after any number of polls leaves the key free at once or done, nothing held, and no
/// task; the work was begun once at most, and a repeat ends with an answer. With a store that answers at once, slowly,
/// or loses its answers; with an inner service that is slow to be ready and to answer.
#[tokio::test(start_paused = true)]
async fn dropped_after_k_polls() {
    let faults = [
        None,
        Some(Fault::Slow(std::time::Duration::from_millis(1_500))),
        Some(Fault::LosesAnswers),
        Some(Fault::Down),
    ];
    for fault in faults {
        let mut k = 0;
        loop {
            let (ledger, store) = ledger();
            if let Some(fault) = fault {
                store.set_for("settle", fault);
                if fault != Fault::Down {
                    store.set_for("claim", fault);
                }
            }
            let inner = inner(|request: Request, call| async move {
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
                Ok::<_, BoxError>(format!("{request} {call}"))
            });
            let count = inner.count.clone();
            let mut service = layer(&ledger).layer(inner);
            let mut call = task::spawn(service.call("a"));
            let mut ended = false;
            for _ in 0..k {
                ended = call.poll().is_ready();
                if ended {
                    break;
                }
                tokio::time::advance(std::time::Duration::from_millis(700)).await;
            }
            drop(call);
            store.heal();
            tokio::time::advance(std::time::Duration::from_secs(1)).await;
            turns().await;
            let called = count.called();
            assert!(called <= 1);
            assert_eq!(ledger.held(), 0, "k = {k}, {fault:?}");
            // A claim whose answer was lost is known by the ledger that asked.
            let answer = service.call("a").await.unwrap();
            assert!(count.called() <= called + 1, "k = {k}, {fault:?}");
            assert_eq!(answer, format!("a {}", count.called()));
            assert!(matches!(ledger.claim(&key("a")).await.unwrap(), Claimed::Done(_)));
            ledger.close().await;
            if ended {
                break;
            }
            k += 1;
        }
        assert!(k >= 2, "{fault:?} ended after {k} polls");
    }
}
