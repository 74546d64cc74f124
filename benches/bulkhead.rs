//! What a bulkhead costs a call, with room and full, each row beside its floor and beside tower's.
//!
//! `cargo bench -p seaworthy-benches --bench bulkhead` prints criterion's times and then a table of ratios; `-- --test`
//! runs each row once.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a benchmark measures real time and may fail")]

mod common;
#[path = "common/bulkhead.rs"]
mod floor;

use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use common::Inner;
use common::ratio::{Table, nanos};
use criterion::{BenchmarkId, Criterion, criterion_group};
use floor::{Count, Counters, Reject};
use seaworthy::bulkhead::{BulkheadService, Permit};
use seaworthy::{BoxError, Bulkhead};
use tower::limit::{ConcurrencyLimit, GlobalConcurrencyLimitLayer};
use tower::load_shed::LoadShed;
use tower::{Layer, Service};

/// Like [`Inner`], for layers that need a boxable error type.
#[derive(Clone, Copy)]
struct BoxedInner;

impl Service<u64> for BoxedInner {
    type Response = u64;
    type Error = BoxError;
    type Future = Ready<Result<u64, BoxError>>;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: u64) -> Self::Future {
        ready(Ok(request))
    }
}

/// One call, driven by hand without a runtime; for any error type.
#[inline]
fn ask<S: Service<u64, Response = u64>>(service: &mut S) -> Result<u64, S::Error> {
    let mut cx = Context::from_waker(Waker::noop());
    match service.poll_ready(&mut cx) {
        Poll::Ready(Ok(())) => {}
        Poll::Ready(Err(error)) => return Err(error),
        Poll::Pending => unreachable!("there is room, or it is ready to reject"),
    }
    match pin!(service.call(black_box(7))).poll(&mut cx) {
        Poll::Ready(answer) => answer,
        Poll::Pending => unreachable!("the inner service answers at once"),
    }
}

fn asks<S: Service<u64, Response = u64>>(mut service: S) -> impl FnMut() -> Result<u64, S::Error> {
    move || ask(&mut service)
}

fn bulkhead() -> Bulkhead {
    Bulkhead::builder("bench").build().unwrap()
}

fn full() -> (Bulkhead, Permit) {
    let bulkhead = Bulkhead::builder("bench").limit(1).build().unwrap();
    let bulkhead_permit = bulkhead.try_acquire().unwrap();
    (bulkhead, bulkhead_permit)
}

fn around(bulkhead: &Bulkhead) -> BulkheadService<Inner> {
    bulkhead.layer().layer(Inner)
}

fn floor_shared<const LOOKS: bool>() -> Count<Inner, Arc<Counters>, LOOKS> {
    Count(Inner, Arc::default())
}

fn floor_leaked<const LOOKS: bool>() -> Count<Inner, &'static Counters, LOOKS> {
    Count(Inner, Box::leak(Box::default()))
}

fn floor_full() -> Reject<Inner> {
    Reject { inner: Inner, counters: Arc::default(), name: "bench".into() }
}

/// Its only permit is taken for good.
fn tower_full() -> LoadShed<ConcurrencyLimit<BoxedInner>> {
    let limit = GlobalConcurrencyLimitLayer::new(1);
    let mut holder = limit.layer(BoxedInner);
    assert!(holder.poll_ready(&mut Context::from_waker(Waker::noop())).is_ready());
    std::mem::forget(holder);
    LoadShed::new(limit.layer(BoxedInner))
}

fn rows(c: &mut Criterion) {
    let mut group = c.benchmark_group("room");
    group.bench_function(BenchmarkId::new("floor", "arc + add + sub"), |b| b.iter(asks(floor_shared::<false>())));
    group.bench_function(BenchmarkId::new("floor", "static + add + sub"), |b| b.iter(asks(floor_leaked::<false>())));
    group.bench_function("shared", |b| b.iter(asks(around(&bulkhead()))));
    group.bench_function("leaked", |b| b.iter(asks(around(&bulkhead().leak()))));
    group.bench_function("tower ConcurrencyLimit", |b| b.iter(asks(ConcurrencyLimit::new(Inner, 10))));
    let shed = || LoadShed::new(ConcurrencyLimit::new(BoxedInner, 10));
    group.bench_function("tower LoadShed and ConcurrencyLimit", |b| b.iter(asks(shed())));
    group.finish();

    let mut group = c.benchmark_group("full");
    let (bulkhead, _permit) = full();
    group.bench_function("floor", |b| b.iter(asks(floor_full())));
    group.bench_function("typed", |b| b.iter(asks(around(&bulkhead))));
    group.bench_function("boxed", |b| b.iter(asks(bulkhead.layer().layer(BoxedInner))));
    group.bench_function("tower LoadShed and ConcurrencyLimit", |b| b.iter(asks(tower_full())));
    group.finish();
}

/// The target rows, each against its floor or its peer, measured in turn.
fn ratios() {
    let mut table = Table::new();
    table.row("with room, shared", "≤ 1.1", asks(floor_shared::<false>()), asks(around(&bulkhead())));
    table.row("with room, leaked", "–", asks(floor_leaked::<false>()), asks(around(&bulkhead().leak())));
    let name = "with room, shared, against a floor that looks";
    table.row(name, "≤ 1.1", asks(floor_shared::<true>()), asks(around(&bulkhead())));
    let name = "with room, leaked, against a floor that looks";
    table.row(name, "–", asks(floor_leaked::<true>()), asks(around(&bulkhead().leak())));
    let name = "with room, shared, against ConcurrencyLimit";
    table.row(name, "≤ 0.6", asks(ConcurrencyLimit::new(Inner, 10)), asks(around(&bulkhead())));
    let (bulkhead, _permit) = full();
    table.row("full", "≤ 1.5", asks(floor_full()), asks(around(&bulkhead)));
    let name = "full, boxed, against LoadShed and ConcurrencyLimit";
    table.row(name, "≤ 0.125", asks(tower_full()), asks(bulkhead.layer().layer(BoxedInner)));
    let name = "full, typed, against LoadShed and ConcurrencyLimit";
    table.row(name, "≤ 0.125", asks(tower_full()), asks(around(&bulkhead)));
    two_threads(&mut table);
    table.print("bulkhead");
}

/// Two threads that share a bulkhead, against two that share tower's.
fn two_threads(table: &mut Table) {
    let bulkhead = bulkhead().layer();
    let tower = GlobalConcurrencyLimitLayer::new(10);
    let floor = floor_shared::<false>();
    let (mut ours, mut towers, mut floors) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..31 {
        floors.push(pair(|| floor.clone()));
        ours.push(pair(|| bulkhead.layer(Inner)));
        towers.push(pair(|| tower.layer(Inner)));
    }
    let [floors, ours, towers] = [floors, ours, towers].map(|mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    table.measured("with room, two threads that share", "–", floors, ours);
    table.measured("the same, against GlobalConcurrencyLimit", "–", towers, ours);
}

/// Nanoseconds per call, with two threads at a time.
fn pair<S: Service<u64, Response = u64>>(make: impl Fn() -> S + Sync) -> f64 {
    const CALLS: u32 = 100_000;
    let start = Barrier::new(2);
    let times = std::thread::scope(|scope| {
        let threads = [(); 2].map(|()| {
            scope.spawn(|| {
                let mut service = make();
                start.wait();
                nanos(CALLS, &mut || ask(&mut service).is_ok())
            })
        });
        threads.map(|thread| thread.join().unwrap())
    });
    f64::midpoint(times[0], times[1])
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1)).sample_size(50);
    targets = rows
}

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    // When the rows are only tried out, no table is wanted.
    if !std::env::args().any(|arg| arg == "--test" || arg == "--list" || arg == "--profile-time") {
        ratios();
    }
}
