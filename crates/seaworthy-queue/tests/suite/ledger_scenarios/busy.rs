//! Jobs on a key that somebody else has.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use seaworthy::{BoxError, Error};
use seaworthy_ledger::{Claimed, IdempotencyError, IdempotencyLayer, Key, Ledger};
use seaworthy_queue::store::QueueStore;
use seaworthy_queue::{Consumer, Delivery, Queue};
use tower::{Layer, ServiceExt};

use crate::scenarios::support::{Calls, Number, Running, SECOND, counts, emptied};

/// Ten jobs on a key that is held for so long spend no attempt, and ask for it no more often than they are told to. Then
/// the first that comes does the work of all.
pub(crate) async fn put_off<S: QueueStore>(store: S, lease: Duration, held_for: Duration) {
    let queue = Queue::with_store("busy", store.clone()).request_timeout(SECOND).build().unwrap();
    let ledger = Ledger::memory("busy").lease(lease).request_timeout(lease / 4).build().unwrap();
    let key = Key::new("busy", "the key").unwrap();
    let Claimed::Mine(mut claim) = ledger.claim(&key).await.unwrap() else { panic!("it is new") };
    claim.begin();
    let lost = claim.hold();
    for number in 0..10 {
        queue.enqueue(Number(number)).await.unwrap();
    }
    let (calls, asked) = (Calls::default(), Calls::default());
    let shortest = Arc::new(AtomicU64::new(u64::MAX));
    let layer = IdempotencyLayer::new(ledger, |_: &Delivery<Number>| Some(Key::new("busy", "the key")));
    let inner = layer.layer(calls.noted(|_, _| async { Ok(()) }));
    let (outside, told) = (asked.clone(), Arc::clone(&shortest));
    let service = tower::service_fn(move |delivery: Delivery<Number>| {
        outside.note(&delivery);
        let (inner, told) = (inner.clone(), Arc::clone(&told));
        async move {
            let answer = inner.oneshot(delivery).await;
            if let Some(retry_in) = answer.as_ref().err().and_then(retry_in) {
                told.fetch_min(u64::try_from(retry_in.as_millis()).unwrap(), Ordering::Relaxed);
            }
            answer
        }
    });
    let running = Running::start(Consumer::new(queue).visibility(30 * SECOND).service(service));
    tokio::time::sleep(held_for).await;
    let (claims, shortest) = (asked.len() as u64, shortest.load(Ordering::Relaxed));
    let most = 10 * (u64::try_from(held_for.as_millis()).unwrap() / shortest + 1);
    assert!((10..=most).contains(&claims) && most <= 200, "{claims} claims of {most}, at {shortest} ms");
    assert_eq!(calls.len(), 0);
    assert!(!lost.is_requested());
    assert!(claim.release().await.unwrap().is_yes());
    emptied(&store).await;
    assert!(asked.all().iter().all(|(_, attempt)| *attempt == 1), "{:?}", asked.all());
    assert_eq!((calls.len(), counts(&store).await), (1, (0, 0, 0, 0)));
    running.end().await;
}

fn retry_in(error: &BoxError) -> Option<Duration> {
    let error = match error.downcast_ref::<Error<IdempotencyError>>() {
        Some(Error::Inner(error)) => error,
        _ => error.downcast_ref::<IdempotencyError>()?,
    };
    match error {
        IdempotencyError::Busy { retry_in } => Some(*retry_in),
        error => panic!("{error}"),
    }
}
