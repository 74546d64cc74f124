//! How many jobs a second go through a queue in memory: enqueued a thousand at a time, done by a consumer whose service does
//! nothing, and acked, on one thread.
//!
//! `cargo bench -p seaworthy-benches --bench queue`.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark reads the clock, and ends when something is wrong"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use seaworthy::{BoxError, Shutdown};
use seaworthy_queue::{Consumer, Delivery, EnqueueRequest, Job, Queue};
use tokio::runtime::Builder;
use tokio::sync::Notify;
use tower::service_fn;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Number(u64);

impl Job for Number {
    const KIND: &str = "number";
}

const JOBS: u64 = 10_000;

fn through(c: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let mut group = c.benchmark_group("queue");
    group.throughput(Throughput::Elements(JOBS)).sample_size(20);
    group.bench_function("memory", |b| {
        b.iter_custom(|rounds| {
            runtime.block_on(async {
                let queue: Queue<Number> = Queue::memory("bench").build().unwrap();
                let (left, done) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()));
                let (count, tell) = (Arc::clone(&left), Arc::clone(&done));
                let service = service_fn(move |_: Delivery<Number>| {
                    if count.fetch_sub(1, Ordering::Relaxed) == 1 {
                        tell.notify_one();
                    }
                    async { Ok::<_, BoxError>(()) }
                });
                let (stop, stopped) = Shutdown::new();
                let running = tokio::spawn(Consumer::new(queue.clone()).concurrency(64).service(service).run(stopped));
                let begun = Instant::now();
                for _ in 0..rounds {
                    left.store(JOBS, Ordering::Relaxed);
                    for _ in 0..JOBS / 1_000 {
                        queue.enqueue_many((0..1_000).map(|n| EnqueueRequest::new(Number(n)))).await.unwrap();
                    }
                    done.notified().await;
                }
                let elapsed = begun.elapsed();
                stop.fire();
                running.await.unwrap().unwrap();
                elapsed
            })
        });
    });
    group.finish();
}

criterion_group!(benches, through);
criterion_main!(benches);
