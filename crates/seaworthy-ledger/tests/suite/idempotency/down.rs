use std::time::Duration;

use seaworthy::BoxError;
use seaworthy_ledger::IdempotencyError;
use seaworthy_ledger::{EntryState, ErrorClass, Ledger, LedgerError, Memory, OnDown, WithClaim};
use seaworthy_store::time::{now, sleep};
use tower::{Layer, ServiceExt};

use super::given::{
    LEASE, Request, entry, guarded, idempotency, inner, key, key_of, layer, ledger, numbered, row, turns,
};
use crate::doubles::{Fault, Faulty};

/// LG-58: while the store is down, hangs, or refuses, a request with a key is `LedgerDown` and the inner service is
/// untouched; one without passes.
#[tokio::test(start_paused = true)]
async fn refuse() {
    let (ledger, store) = ledger();
    let (service, count) = guarded(&ledger);
    for (fault, class, after) in [
        (Fault::Down, ErrorClass::Unavailable, 0),
        (Fault::Hangs, ErrorClass::Unavailable, 5),
        (Fault::Refused, ErrorClass::Refused, 0),
    ] {
        store.set_for("claim", fault);
        let begun = now();
        let error = service.clone().oneshot("a").await.unwrap_err();
        let IdempotencyError::LedgerDown(error) = idempotency(&error) else { panic!("{error:?}") };
        assert_eq!((error.class(), begun.elapsed().as_secs()), (Some(class), after));
    }
    assert_eq!(count.touched(), (0, 0));
    assert_eq!(service.clone().oneshot("").await.unwrap(), " 1");
    store.heal();
    assert_eq!(service.oneshot("a").await.unwrap(), "a 2");
}

/// LG-58: with `Proceed` the inner service is called without a claim while the store cannot be reached: each time, and
/// nothing is recorded. A claim that the store granted all the same, in an answer that never came, is found by the next.
#[tokio::test(start_paused = true)]
async fn proceed() {
    let (ledger, store) = ledger();
    let inner = inner(|request: WithClaim<Request, Faulty>, call| async move {
        Ok::<_, BoxError>(format!("{} {call} {:?}", request.get_ref(), request.fence()))
    });
    let count = inner.count.clone();
    let service = layer(&ledger).on_down(OnDown::Proceed).with_claim().layer(inner);
    store.set_for("claim", Fault::Down);
    assert_eq!(service.clone().oneshot("a").await.unwrap(), "a 1 None");
    assert_eq!(service.clone().oneshot("a").await.unwrap(), "a 2 None");
    assert!(entry(&ledger, "a").await.is_none());
    store.set_for("claim", Fault::LosesAnswers);
    assert_eq!(service.clone().oneshot("a").await.unwrap(), "a 3 None");
    assert!(matches!(row(&ledger, "a").await, (EntryState::Running { .. }, 1, None)));
    assert_eq!((ledger.held(), store.count("settle")), (0, 0));
    store.heal();
    assert_eq!(service.clone().oneshot("a").await.unwrap(), "a 4 Some(2)");
    assert_eq!(service.oneshot("a").await.unwrap(), "a 4 Some(2)");
    assert_eq!(count.called(), 4);
}

/// LG-58: a store without room is down, too; one that refuses is not, because whoever forgot its schema would never
/// know.
#[tokio::test(start_paused = true)]
async fn proceed_is_for_stores_that_are_down() {
    let (ledger, store) = ledger();
    let inner = numbered();
    let count = inner.count.clone();
    let service = layer(&ledger).on_down(OnDown::Proceed).layer(inner.clone());
    store.set_for("claim", Fault::Refused);
    let error = service.oneshot("a").await.unwrap_err();
    let IdempotencyError::LedgerDown(LedgerError::Store(error)) = idempotency(&error) else { panic!("{error:?}") };
    assert_eq!((error.class(), count.touched()), (ErrorClass::Refused, (0, 0)));

    let small = Ledger::memory("small").max(1).build().unwrap();
    let mut held = small.claim(&key("b")).await.unwrap();
    if let seaworthy_ledger::Claimed::Mine(claim) = &mut held {
        claim.begin();
    }
    let layer = seaworthy_ledger::IdempotencyLayer::<_, Memory>::new(small.clone(), key_of);
    let error = layer.clone().layer(inner.clone()).oneshot("a").await.unwrap_err();
    let IdempotencyError::LedgerDown(error) = idempotency(&error) else { panic!("{error:?}") };
    assert_eq!((error.class(), count.touched()), (Some(ErrorClass::Full), (0, 0)));
    assert_eq!(layer.on_down(OnDown::Proceed).layer(inner).oneshot("a").await.unwrap(), "a 1");
    drop(held);
}

/// LG-58: a store that goes down after the inner service has answered: the caller has the answer at once, and the
/// completion is tried again in the background, until the store is back.
#[tokio::test(start_paused = true)]
async fn down_at_the_end() {
    let (ledger, store) = ledger();
    let (service, count) = guarded(&ledger);
    store.set_for("settle", Fault::Down);
    let begun = now();
    assert_eq!(service.clone().oneshot("a").await.unwrap(), "a 1");
    assert_eq!(begun.elapsed(), Duration::ZERO);
    let error = service.clone().oneshot("a").await.unwrap_err();
    assert!(matches!(idempotency(&error), IdempotencyError::Busy { .. }), "{error:?}");
    sleep(Duration::from_secs(90)).await;
    assert!(matches!(row(&ledger, "a").await.0, EntryState::Running { left } if left > Duration::ZERO), "renewed");
    store.heal();
    sleep(Duration::from_secs(6)).await;
    assert_eq!(row(&ledger, "a").await, (EntryState::Done, 1, None));
    assert_eq!(service.oneshot("a").await.unwrap(), "a 1");
    assert_eq!((count.called(), ledger.held()), (1, 0));
}

/// LG-58: the same for an error and a rejection, and with a store that hangs: then the caller waits for the request's
/// limit. Nothing is tried any more when the lease is over.
#[tokio::test(start_paused = true)]
async fn hangs_at_the_end() {
    let (ledger, store) = ledger();
    let service = layer(&ledger).layer(inner(|request: Request, _| async move {
        match request {
            "error" => Err("declined".into()),
            "full" => Err(seaworthy::Rejected::BulkheadFull { name: "ship".into(), retry_after: None.into() }.into()),
            _ => Ok::<String, BoxError>("paid".to_owned()),
        }
    }));
    store.set_for("settle", Fault::Hangs);
    for request in ["error", "full", "ok"] {
        let begun = now();
        assert_eq!(service.clone().oneshot(request).await.is_ok(), request == "ok");
        assert_eq!(begun.elapsed(), Duration::from_secs(5));
    }
    store.heal();
    sleep(Duration::from_secs(15)).await;
    assert_eq!(row(&ledger, "error").await, (EntryState::Failed, 1, Some("declined".into())));
    assert_eq!(row(&ledger, "full").await, (EntryState::Failed, 0, None));
    assert_eq!(row(&ledger, "ok").await, (EntryState::Done, 1, None));

    store.set_for("settle", Fault::Down);
    store.set_for("renew", Fault::Down);
    assert_eq!(service.oneshot("late").await.unwrap(), "paid");
    sleep(LEASE * 2).await;
    turns().await;
    let asked = store.count("settle");
    sleep(LEASE * 2).await;
    assert_eq!((store.count("settle"), ledger.held()), (asked, 0));
    assert!(matches!(row(&ledger, "late").await, (EntryState::Running { left: Duration::ZERO }, 1, None)));
}
