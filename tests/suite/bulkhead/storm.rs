use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seaworthy::{BoxError, Bulkhead};
use tower::{ServiceExt, service_fn};

use super::{assert_idle, is_full};

/// How many are inside now, and the most so far.
#[derive(Debug, Default)]
struct Gauge {
    now: AtomicU32,
    most: AtomicU32,
}

impl Gauge {
    async fn visit(self: Arc<Gauge>, yields: u32) {
        let inside = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(inside, Ordering::SeqCst);
        let _visit = Visit(self);
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
    }
}

/// Ends when it is dropped, for calls that are cancelled.
struct Visit(Arc<Gauge>);

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

const CALLS: u32 = 4_000;

async fn storm(bulkhead: Bulkhead, limit: u32) {
    let gauge = Arc::<Gauge>::default();
    let inside = Arc::clone(&gauge);
    let service = tower::ServiceBuilder::new().layer(bulkhead.layer()).service(service_fn(move |call: u32| {
        let gauge = Arc::clone(&inside);
        async move {
            gauge.visit(call % 4).await;
            if call % 5 == 0 { Err(BoxError::from("leak")) } else { Ok(call) }
        }
    }));
    let calls: Vec<_> = (0..CALLS)
        .map(|call| {
            let task = tokio::spawn(service.clone().oneshot(call));
            // Some are cancelled, wherever they are.
            if call % 7 == 0 {
                task.abort();
            }
            task
        })
        .collect();
    let mut rejected = 0_u64;
    for (call, task) in (0..).zip(calls) {
        match task.await {
            Ok(Ok(answer)) => assert_eq!(answer, call),
            Ok(result) if is_full(&result) => rejected += 1,
            Ok(Err(error)) => assert_eq!((error.to_string(), call % 5), (String::from("leak"), 0)),
            Err(gone) => assert!(gone.is_cancelled()),
        }
    }
    let most = gauge.most.load(Ordering::SeqCst);
    assert!((1..=limit).contains(&most), "{most}");
    assert_idle(&bulkhead);
    // Cancelled calls may have been rejected unseen.
    assert!(rejected <= bulkhead.snapshot().rejected);
}

/// BH-01, BH-06: in a storm on several threads there are never more than `limit` inside, and after it all permits are
/// back. The same goes for calls that wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_threads() {
    for limit in [1, 3] {
        let builder = Bulkhead::builder("ship").limit(limit);
        storm(builder.clone().build().expect("valid"), limit).await;
        let patient = builder.clone().max_wait(Duration::from_secs(3600)).build().expect("valid");
        storm(patient.clone(), limit).await;
        assert_eq!(patient.snapshot().rejected, 0);
        storm(builder.max_wait(Duration::from_secs(3600)).max_queued(5).build().expect("valid"), limit).await;
    }
}

/// BH-07: a limit that changes constantly while calls come and go leaves nothing behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_limit_changes_meanwhile() {
    let bulkhead = Bulkhead::builder("ship").limit(1).max_wait(Duration::MAX).build().expect("valid");
    let changes = bulkhead.clone();
    let changing = std::thread::spawn(move || {
        for limit in (1..=8).cycle().take(8_000) {
            changes.set_limit(limit).expect("in range");
            let counts = changes.snapshot();
            assert!(counts.queued == 0 || counts.in_use >= counts.limit, "{counts:?}");
        }
    });
    storm(bulkhead.clone(), 8).await;
    changing.join().expect("no panic");
    assert_eq!((bulkhead.limit(), bulkhead.in_use(), bulkhead.queued()), (8, 0, 0));
}
