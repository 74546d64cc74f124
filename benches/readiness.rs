//! What readiness costs a request: let in, with 0, 1 and 8 required checks, and rejected; each row beside its floor.
//!
//! `cargo bench -p seaworthy-benches --bench readiness` prints criterion's times and then a table of ratios; `--
//! --test` runs each row once.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a benchmark measures real time and may fail")]

mod common;

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use common::ratio::Table;
use common::{Inner, StackError, call};
use criterion::{Criterion, criterion_group};
use pin_project_lite::pin_project;
use seaworthy::health::ReadinessService;
use seaworthy::{CircuitBreaker, Error, Health, Name, Phase, Rejected};
use tower::{Layer, Service};

/// The floor: counts in and out, with a handle in the future and a list of checks that never changes. It reads both in
/// `poll_ready` and `call`, as a layer must that may answer before the inner service is asked.
#[derive(Clone)]
struct Floor(Arc<State>);

struct State {
    in_flight: AtomicU64,
    ready: u64,
    checks: Vec<Box<dyn Fn() -> bool + Send + Sync>>,
    name: Name,
}

impl Floor {
    fn new(ready: bool, checks: Vec<Box<dyn Fn() -> bool + Send + Sync>>) -> Floor {
        let state = State { in_flight: AtomicU64::new(0), ready: u64::from(ready), checks, name: "x".into() };
        Floor(Arc::new(state))
    }

    #[inline]
    fn is_ready(&self) -> bool {
        black_box(self.0.in_flight.load(Ordering::Acquire));
        black_box(self.0.ready) == 1 && self.0.checks.iter().all(|check| check())
    }
}

struct Out(Arc<State>);

impl Drop for Out {
    #[inline]
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

pin_project! {
    #[project = FloorProj]
    enum FloorFuture {
        Inner { #[pin] inner: <Inner as Service<u64>>::Future, out: Option<Out> },
        Rejected { rejected: Option<Rejected> },
    }
}

impl Future for FloorFuture {
    type Output = Result<u64, StackError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            FloorProj::Inner { inner, out } => {
                let poll = inner.poll(cx);
                if poll.is_ready() {
                    *out = None;
                }
                poll
            }
            FloorProj::Rejected { rejected } => Poll::Ready(Err(Error::Rejected(rejected.take().unwrap()))),
        }
    }
}

impl Service<u64> for Floor {
    type Response = u64;
    type Error = StackError;
    type Future = FloorFuture;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StackError>> {
        if self.is_ready() { Service::<u64>::poll_ready(&mut Inner, cx) } else { Poll::Ready(Ok(())) }
    }

    #[inline]
    fn call(&mut self, request: u64) -> FloorFuture {
        if !self.is_ready() {
            return FloorFuture::Rejected {
                rejected: Some(Rejected::NotReady { reason: self.0.name.clone(), retry_after: None.into() }),
            };
        }
        self.0.in_flight.fetch_add(1, Ordering::AcqRel);
        FloorFuture::Inner { out: Some(Out(self.0.clone())), inner: Inner.call(request) }
    }
}

/// A check that costs one load.
fn check() -> impl Fn() -> bool + Send + Sync + 'static {
    let up = AtomicU64::new(1);
    move || black_box(&up).load(Ordering::Acquire) == 1
}

fn asks<S: Service<u64, Response = u64, Error = StackError>>(
    mut service: S,
) -> impl FnMut() -> Result<u64, StackError> {
    move || call(&mut service, black_box(7))
}

fn floor(checks: usize) -> Floor {
    Floor::new(true, (0..checks).map(|_| Box::new(check()) as _).collect())
}

fn ready(checks: usize) -> ReadinessService<Inner> {
    let health = Health::new();
    health.advance(Phase::Serving);
    for number in 0..checks {
        health.require(format!("check {number}"), check()).unwrap();
    }
    health.readiness_layer().layer(Inner)
}

fn starting() -> ReadinessService<Inner> {
    Health::new().readiness_layer().layer(Inner)
}

/// With an open circuit as a required check: open for good, so that no clock is read, or for a time.
fn behind(circuit_breaker: &CircuitBreaker) -> ReadinessService<Inner> {
    let health = Health::new();
    health.advance(Phase::Serving);
    health.require("x", circuit_breaker.clone()).unwrap();
    health.readiness_layer().layer(Inner)
}

fn circuit_breaker() -> CircuitBreaker {
    CircuitBreaker::builder("bench").consecutive_failures(1).open_for(Duration::from_secs(3600)).build().unwrap()
}

fn forced() -> CircuitBreaker {
    let circuit_breaker = circuit_breaker();
    circuit_breaker.force_open();
    circuit_breaker
}

fn tripped() -> CircuitBreaker {
    let circuit_breaker = circuit_breaker();
    circuit_breaker.admit().unwrap().settle(seaworthy::Verdict::Failure);
    circuit_breaker
}

fn rows(c: &mut Criterion) {
    let mut group = c.benchmark_group("ready");
    for checks in [0, 1, 8] {
        group.bench_function(format!("floor, {checks} checks"), |b| b.iter(asks(floor(checks))));
        group.bench_function(format!("{checks} checks"), |b| b.iter(asks(ready(checks))));
    }
    group.bench_function("a closed circuit", |b| b.iter(asks(behind(&circuit_breaker()))));
    group.finish();

    let mut group = c.benchmark_group("not ready");
    group.bench_function("floor", |b| b.iter(asks(Floor::new(false, Vec::new()))));
    group.bench_function("starting", |b| b.iter(asks(starting())));
    group.bench_function("a circuit that was forced open", |b| b.iter(asks(behind(&forced()))));
    group.bench_function("an open circuit", |b| b.iter(asks(behind(&tripped()))));
    group.finish();
}

/// Each against its floor, measured in turn.
fn ratios() {
    let mut table = Table::new();
    table.row("ready, no checks", "≤ 1.2", asks(floor(0)), asks(ready(0)));
    table.row("ready, 1 check", "≤ 2.2", asks(floor(1)), asks(ready(1)));
    table.row("ready, 8 checks", "≤ 2.2", asks(floor(8)), asks(ready(8)));
    table.row("not ready: starting", "≤ 2.5", asks(Floor::new(false, Vec::new())), asks(starting()));
    table.row("not ready: a check", "–", asks(Floor::new(true, vec![Box::new(|| false)])), asks(behind(&forced())));
    table.print("readiness");
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(300)).sample_size(20);
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
