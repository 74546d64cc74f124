//! What a look at a term costs, beside a reading of the clock, and what a `LeaderLayer` adds to a request that is let in, and
//! to one that is not.
//!
//! `cargo bench -p seaworthy-benches --bench leader`.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark reads the clock, and ends when something is wrong"
)]

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use criterion::{Criterion, criterion_group, criterion_main};
use seaworthy::BoxError;
use seaworthy_leader::{Fenced, LeaderLayer, LocalElector, Term};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;
use tower::{Layer, Service, service_fn};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

/// Renewals are not sent while nothing runs on the runtime: a term of an hour outlives the benchmark.
fn term(runtime: &Runtime) -> Term {
    let hour = std::time::Duration::from_secs(3_600);
    let elector = LocalElector::builder().ttl(hour).margin(hour / 30).max_failover(2 * hour).build().unwrap();
    runtime.block_on(elector.campaign("bench")).unwrap()
}

fn looks(c: &mut Criterion) {
    let runtime = runtime();
    let mut group = c.benchmark_group("leader");
    let term = term(&runtime);
    group.bench_function("clock", |b| b.iter(|| black_box(Instant::now())));
    group.bench_function("is_valid", |b| b.iter(|| assert!(black_box(&term).is_valid())));
    group.finish();
}

async fn answer(request: u64) -> Result<u64, BoxError> {
    Ok(black_box(request))
}

async fn answer_fenced(request: Fenced<u64>) -> Result<u64, BoxError> {
    Ok(black_box(request.into_inner()))
}

/// Each is ready when it is first polled.
fn call<S: Service<u64, Response = u64>>(service: &mut S) -> Result<u64, S::Error> {
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    let Poll::Ready(answer) = pin!(service.call(black_box(7))).poll(&mut context) else { unreachable!() };
    answer
}

fn layer(c: &mut Criterion) {
    let runtime = runtime();
    let mut group = c.benchmark_group("leader");
    let term = term(&runtime);
    let mut inner = service_fn(answer);
    let mut leading = LeaderLayer::new(term.watch()).layer(service_fn(answer_fenced));
    group.bench_function("inner", |b| b.iter(|| call(&mut inner).is_ok()));
    group.bench_function("leading", |b| b.iter(|| call(&mut leading).is_ok()));
    drop(term);
    group.bench_function("not_leading", |b| b.iter(|| call(&mut leading).is_err()));
    group.finish();
}

criterion_group!(benches, looks, layer);
criterion_main!(benches);
