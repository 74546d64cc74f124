//! What a claim and its completion cost in memory, and the claim of what was done; what an `IdempotencyLayer` costs a request
//! without a key, and one that was done.
//!
//! `cargo bench -p seaworthy-benches --bench ledger`. Keys are made beforehand; a thousand fit, so that each new one takes the
//! place of one that is done.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark reads the clock, and ends when something is wrong"
)]

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use seaworthy::{BoxError, ConfigError};
use seaworthy_ledger::{Claim, Claimed, IdempotencyLayer, Key, Ledger};
use tokio::runtime::Builder;
use tower::{Layer, Service, service_fn};

fn keys(from: &mut u64, count: u64) -> Vec<Key> {
    let begin = *from;
    *from += count;
    (begin..*from).map(|n| Key::new("bench", &format!("key-{n:012}")).unwrap()).collect()
}

async fn mine(ledger: &Ledger, key: Key) -> Claim {
    let Claimed::Mine(claim) = ledger.claim(key).await.unwrap() else { unreachable!() };
    claim
}

fn claims(c: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let mut group = c.benchmark_group("ledger");
    let mut next = 0;
    let ledger = Ledger::memory("bench").max(1_000).build().unwrap();
    group.bench_function("claim_complete", |b| {
        b.iter_custom(|count| {
            let keys = keys(&mut next, count);
            runtime.block_on(async {
                let begun = Instant::now();
                for key in keys {
                    let _ = black_box(mine(&ledger, key).await.complete("done").await.unwrap());
                }
                begun.elapsed()
            })
        });
    });
    group.bench_function("claim_hold_complete", |b| {
        b.iter_custom(|count| {
            let keys = keys(&mut next, count);
            runtime.block_on(async {
                let begun = Instant::now();
                for key in keys {
                    let mut claim = mine(&ledger, key).await;
                    black_box(claim.hold());
                    let _ = black_box(claim.complete("done").await.unwrap());
                }
                begun.elapsed()
            })
        });
    });
    let done = keys(&mut next, 1).remove(0);
    runtime.block_on(async {
        let _ = mine(&ledger, done.clone()).await.complete("done").await.unwrap();
    });
    group.bench_function("done", |b| {
        b.iter_custom(|count| {
            runtime.block_on(async {
                let begun = Instant::now();
                for _ in 0..count {
                    let _ = black_box(ledger.claim(&done).await.unwrap());
                }
                begun.elapsed()
            })
        });
    });
    group.finish();
}

/// A request's number is its key; 0 has none.
fn key_of(request: &u64) -> Option<Result<Key, ConfigError>> {
    (*request != 0).then(|| Key::new("bench", "done"))
}

async fn answer(request: u64) -> Result<u64, BoxError> {
    Ok(black_box(request))
}

/// Each is ready when it is first polled.
fn call<S: Service<u64, Response = u64, Error = BoxError>>(service: &mut S, request: u64) -> u64 {
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    let Poll::Ready(answer) = pin!(service.call(black_box(request))).poll(&mut context) else { unreachable!() };
    answer.unwrap()
}

fn layer(c: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    let mut group = c.benchmark_group("idempotency");
    let ledger = Ledger::memory("bench").build().unwrap();
    let mut inner = service_fn(answer);
    let mut guarded = IdempotencyLayer::new(ledger, key_of).layer(inner);
    group.bench_function("inner", |b| b.iter(|| call(&mut inner, 0)));
    group.bench_function("no_key", |b| b.iter(|| call(&mut guarded, 0)));
    let mut other = guarded.clone();
    runtime.block_on(async { other.call(7).await }).unwrap();
    group.bench_function("done", |b| b.iter(|| call(&mut guarded, 7)));
    group.finish();
}

criterion_group!(benches, claims, layer);
criterion_main!(benches);
