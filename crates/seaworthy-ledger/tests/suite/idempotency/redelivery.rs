use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use seaworthy::{BoxError, ConfigError};
use seaworthy_ledger::store::LedgerStore;
use seaworthy_ledger::{EntryState, Key, Ledger};
use seaworthy_ledger::{IdempotencyError, IdempotencyLayer};
use tokio::task::JoinSet;
use tower::util::BoxCloneService;
use tower::{Layer, ServiceExt};

use super::given::{guarded, idempotency, inner, ledger, row, turns};
use crate::doubles::Faulty;

/// A request without a lifetime, for tasks.
#[derive(Clone, Debug)]
struct Job;

fn job_key(_: &Job) -> Result<Key, ConfigError> {
    Key::new("test", "a")
}

/// IN-09: of 100 redeliveries, one after the other, the inner service sees one, and all have the same answer.
#[tokio::test(start_paused = true)]
async fn a_hundred_redeliveries() {
    let (ledger, _) = ledger();
    let (service, count) = guarded(&ledger);
    for _ in 0..100 {
        assert_eq!(service.clone().oneshot("a").await.unwrap(), "a 1");
    }
    assert_eq!(count.called(), 1);
    assert_eq!(row(&ledger, "a").await, (EntryState::Done, 1, None));
}

/// IN-09: the same at once: one call; the others are busy, or have its answer.
#[tokio::test(start_paused = true)]
async fn a_hundred_at_once() {
    let (ledger, _) = ledger();
    let inner = inner(|_: Job, call| async move {
        seaworthy_store::time::sleep(Duration::from_secs(1)).await;
        Ok::<_, BoxError>(format!("a {call}"))
    });
    let count = inner.count.clone();
    let service = BoxCloneService::new(IdempotencyLayer::new(ledger.clone(), job_key).layer(inner));
    let mut calls = JoinSet::new();
    for number in 0..100_u64 {
        let service = service.clone();
        calls.spawn(async move {
            seaworthy_store::time::sleep(Duration::from_millis(number * 20)).await;
            service.oneshot(Job).await
        });
    }
    let (mut busy, mut answered) = (0, 0);
    for outcome in calls.join_all().await {
        match outcome {
            Ok(answer) => {
                assert_eq!(answer, "a 1");
                answered += 1;
            }
            Err(error) => {
                assert!(matches!(idempotency(&error), IdempotencyError::Busy { .. }), "{error:?}");
                busy += 1;
            }
        }
    }
    assert_eq!((count.called(), busy + answered), (1, 100));
    assert!(answered >= 50 && busy >= 49, "{answered} answered, {busy} busy");
}

/// IN-10: a key that is held for 30 s, and 10 processes that wait for it as they are told: each asks no more often than
/// that allows, nothing is spent, and all have the one answer in the end.
#[tokio::test(start_paused = true)]
async fn busy_does_not_spin() {
    for lease in [4, 10, 60] {
        let store = Faulty::default();
        let service = || {
            let ledger = Ledger::with_store("test", store.clone()).lease(Duration::from_secs(lease));
            let ledger = ledger.request_timeout(Duration::from_secs(1)).build().unwrap();
            let inner = inner(|_: Job, call| async move {
                seaworthy_store::time::sleep(Duration::from_secs(30)).await;
                Ok::<_, BoxError>(format!("a {call}"))
            });
            let count = inner.count.clone();
            (BoxCloneService::new(IdempotencyLayer::new(ledger, job_key).layer(inner)), count)
        };
        let shortest = Arc::new(AtomicU64::new(u64::MAX));
        let (first, called) = service();
        let held = tokio::spawn(first.oneshot(Job));
        turns().await;
        let mut waiting = JoinSet::new();
        for _ in 0..10 {
            let ((service, called), shortest) = (service(), Arc::clone(&shortest));
            waiting.spawn(async move {
                loop {
                    match service.clone().oneshot(Job).await {
                        Ok(answer) => return (answer, called.called()),
                        Err(error) => {
                            let IdempotencyError::Busy { retry_in } = idempotency(&error) else { panic!("{error:?}") };
                            shortest.fetch_min(u64::try_from(retry_in.as_millis()).unwrap(), Ordering::Relaxed);
                            seaworthy_store::time::sleep(*retry_in).await;
                        }
                    }
                }
            });
        }
        assert!(waiting.join_all().await.into_iter().all(|(answer, called)| answer == "a 1" && called == 0));
        assert_eq!((held.await.unwrap().unwrap().as_str(), called.called()), ("a 1", 1));
        let most = 10 * (30_000_u64.div_ceil(shortest.load(Ordering::Relaxed)) + 1) + 1;
        let asked = store.count("claim") as u64;
        assert!((21..=most).contains(&asked) && most <= 10 * 30, "{asked} of {most}");
        let key = Key::new("test", "a").unwrap();
        let entry = store.inner.lookup(&key).await.unwrap().unwrap();
        assert_eq!((entry.state, entry.grants), (EntryState::Done, 1));
    }
}
