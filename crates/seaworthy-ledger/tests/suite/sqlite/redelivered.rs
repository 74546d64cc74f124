use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use seaworthy::{BoxError, ConfigError};
use seaworthy_ledger::{IdempotencyError, IdempotencyLayer};
use seaworthy_ledger::{Key, Ledger};
use tokio::task::JoinSet;
use tower::util::BoxCloneService;
use tower::{Layer, ServiceExt, service_fn};

use super::{Directory, key};

fn job_key(_: &u64) -> Result<Key, ConfigError> {
    Ok(key("a"))
}

/// The work, as one more process has it: a handle and a ledger of its own on the same file.
async fn service(directory: &Directory, calls: &Arc<AtomicU64>) -> BoxCloneService<u64, String, BoxError> {
    let store = directory.builder().open().await.expect("a file of our own");
    let ledger = Ledger::sqlite("test", &store).build().expect("the defaults");
    let calls = Arc::clone(calls);
    let inner = service_fn(move |_: u64| {
        let call = calls.fetch_add(1, Ordering::Relaxed) + 1;
        async move {
            seaworthy_store::time::sleep(Duration::from_millis(50)).await;
            Ok::<_, BoxError>(format!("answer {call}"))
        }
    });
    BoxCloneService::new(IdempotencyLayer::new(ledger, job_key).layer(inner))
}

/// IN-09: of 100 redeliveries to ten ledgers on one SQLite file, at once, the handler sees one: the others are busy, or
/// have its answer; and 100 more, one after the other, all have it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_handler_is_called_once() {
    let (directory, calls) = (Directory::new(), Arc::new(AtomicU64::new(0)));
    let mut services = Vec::new();
    for _ in 0..10 {
        services.push(service(&directory, &calls).await);
    }
    let mut at_once = JoinSet::new();
    for number in 0..100 {
        let service = services[number as usize % 10].clone();
        at_once.spawn(service.oneshot(number));
    }
    for outcome in at_once.join_all().await {
        match outcome {
            Ok(answer) => assert_eq!(answer, "answer 1"),
            Err(error) => {
                let busy = matches!(error.downcast_ref(), Some(IdempotencyError::Busy { .. }));
                assert!(busy, "{error:?}");
            }
        }
    }
    for number in 0..100 {
        let service = services[number as usize % 10].clone();
        assert_eq!(service.oneshot(number).await.expect("it was done"), "answer 1");
    }
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}
