//! What the whole stack costs a call: retry, circuit breaker, bulkhead and timeout, beside their floors stacked.
//!
//! `cargo bench -p seaworthy-benches --bench stack` prints criterion's times and then a table of ratios; `-- --test`
//! runs each row once.
//!
//! The retry's floor reads the clock and counts if there is a budget; the circuit breaker's reads its state; the
//! bulkhead's counts in and out; the timeout's only passes calls on. None keeps a copy of the request or of the
//! service, as a retry has to.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a benchmark measures real time and may fail")]

mod common;

use std::future::ready;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use common::floor::{Floor, Refuse, Work};
use common::ratio::Table;
use common::{Inner, StackError, call};
use criterion::{Criterion, criterion_group};
use seaworthy::{Bulkhead, CircuitBreaker, Policy, RetryPolicy, TimeoutLayer, Verdict};
use tower::{Service, ServiceBuilder};

/// Where the handles are stored, and whether retries have a budget.
#[derive(Clone, Copy)]
struct Kind {
    leaked: bool,
    budget: bool,
}

const KINDS: [(&str, Kind); 4] = [
    ("shared, budget", Kind { leaked: false, budget: true }),
    ("shared, no budget", Kind { leaked: false, budget: false }),
    ("leaked, budget", Kind { leaked: true, budget: true }),
    ("leaked, no budget", Kind { leaked: true, budget: false }),
];

fn circuit_breaker(open: bool) -> CircuitBreaker {
    let circuit_breaker = CircuitBreaker::builder("bench").consecutive_failures(5).open_for(Duration::from_secs(3600));
    let circuit_breaker = circuit_breaker.build().unwrap();
    for _ in 0..if open { 5 } else { 0 } {
        circuit_breaker.admit().unwrap().settle(Verdict::Failure);
    }
    circuit_breaker
}

/// A call through the stack. The retry's handle cannot be leaked.
fn ours(kind: Kind, open: bool) -> impl FnMut() -> Result<u64, StackError> {
    let (circuit_breaker, bulkhead) = (circuit_breaker(open), Bulkhead::builder("bench").build().unwrap());
    let (circuit_breaker, bulkhead) =
        if kind.leaked { (circuit_breaker.leak(), bulkhead.leak()) } else { (circuit_breaker, bulkhead) };
    let retry = RetryPolicy::builder("bench");
    let retry = if kind.budget { retry } else { retry.no_budget() };
    let mut service = ServiceBuilder::new()
        .layer(retry.build().unwrap().layer())
        .layer(circuit_breaker.layer())
        .layer(bulkhead.layer())
        .layer(TimeoutLayer::new(Duration::from_secs(1)))
        .service(Inner);
    move || ask(&mut service)
}

/// The same parts as one policy; its handle can be leaked, and the retry's with it.
fn policy(kind: Kind, open: bool) -> Policy {
    let policy = Policy::builder("bench").shared_circuit_breaker(circuit_breaker(open)).bulkhead(|bulkhead| bulkhead);
    let policy = policy.timeout(Duration::from_secs(1));
    let policy = policy.retry(|retry| if kind.budget { retry } else { retry.no_budget() }).build().unwrap();
    if kind.leaked { policy.leak() } else { policy }
}

/// A call through the policy, as a layer.
fn composed(kind: Kind, open: bool) -> impl FnMut() -> Result<u64, StackError> {
    let mut service = ServiceBuilder::new().layer(policy(kind, open).layer()).service(Inner);
    move || ask(&mut service)
}

/// A call through the policy without retries, as a layer, and through the same layers put together by hand.
fn single(kind: Kind, open: bool) -> [Box<dyn FnMut() -> Result<u64, StackError>>; 2] {
    let mut service = ServiceBuilder::new().layer(policy(kind, open).layer().without_retry()).service(Inner);
    let (circuit_breaker, bulkhead) = (circuit_breaker(open), Bulkhead::builder("bench").build().unwrap());
    let (circuit_breaker, bulkhead) =
        if kind.leaked { (circuit_breaker.leak(), bulkhead.leak()) } else { (circuit_breaker, bulkhead) };
    let mut by_hand = ServiceBuilder::new()
        .layer(circuit_breaker.layer())
        .layer(bulkhead.layer())
        .layer(TimeoutLayer::new(Duration::from_secs(1)))
        .service(Inner);
    [Box::new(move || ask(&mut service)), Box::new(move || ask(&mut by_hand))]
}

/// A call through the policy around a future, by hand.
fn run(kind: Kind, open: bool) -> impl FnMut() -> Result<u64, StackError> {
    let policy = policy(kind, open);
    move || {
        let request = black_box(7);
        let call = pin!(policy.run(|| ready(Ok::<u64, StackError>(request))));
        match call.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => answer,
            Poll::Pending => unreachable!("the inner future answers at once"),
        }
    }
}

fn of_retry(budget: bool) -> Work {
    if budget { Work::CountAndClock } else { Work::Nothing }
}

/// A call through the floors, nested.
fn floors(kind: Kind) -> Box<dyn FnMut() -> Result<u64, StackError>> {
    let works = [Work::Nothing, Work::CountInAndOut, Work::Nothing, of_retry(kind.budget)];
    let [timeout, bulkhead, circuit_breaker, retry] = works;
    if kind.leaked {
        // As in ours, the retry counts a reference, and the timeout has no handle to begin with.
        let inner = Floor::leaked(Floor::leaked(Floor::leaked(Inner, timeout), bulkhead), circuit_breaker);
        let mut service = Floor::shared(inner, retry);
        Box::new(move || ask(&mut service))
    } else {
        let inner = Floor::shared(Floor::shared(Floor::leaked(Inner, timeout), bulkhead), circuit_breaker);
        let mut service = Floor::shared(inner, retry);
        Box::new(move || ask(&mut service))
    }
}

/// A call through the retry's floor, around one that rejects.
fn refusing_floor(kind: Kind) -> impl FnMut() -> Result<u64, StackError> {
    let mut service = Floor::shared(Refuse::new("bench"), of_retry(kind.budget));
    move || ask(&mut service)
}

fn ask<S>(service: &mut S) -> Result<u64, StackError>
where
    S: Service<u64, Response = u64, Error = StackError>,
{
    call(service, black_box(7))
}

fn closed(c: &mut Criterion) {
    let mut group = c.benchmark_group("stack, closed");
    for (name, kind) in KINDS {
        assert_eq!((ours(kind, false)(), floors(kind)()), (Ok(7), Ok(7)), "every call passes");
        assert_eq!((composed(kind, false)(), run(kind, false)()), (Ok(7), Ok(7)), "every call passes");
        group.bench_function(format!("floors/{name}"), |b| b.iter(floors(kind)));
        group.bench_function(format!("stack/{name}"), |b| b.iter(ours(kind, false)));
        group.bench_function(format!("policy/{name}"), |b| b.iter(composed(kind, false)));
        group.bench_function(format!("policy, run/{name}"), |b| b.iter(run(kind, false)));
    }
    group.finish();
}

fn open(c: &mut Criterion) {
    let mut group = c.benchmark_group("stack, open");
    for (name, kind) in KINDS {
        for answer in [ours(kind, true)(), composed(kind, true)(), run(kind, true)()] {
            assert!(matches!(answer, Err(StackError::Rejected(_))), "no call passes");
        }
        group.bench_function(format!("floor/{name}"), |b| b.iter(refusing_floor(kind)));
        group.bench_function(format!("stack/{name}"), |b| b.iter(ours(kind, true)));
        group.bench_function(format!("policy/{name}"), |b| b.iter(composed(kind, true)));
        group.bench_function(format!("policy, run/{name}"), |b| b.iter(run(kind, true)));
    }
    group.finish();
}

/// The target rows, each against its floors, measured in turn.
fn ratios() {
    let mut table = Table::new();
    for ((name, kind), open) in
        ["closed, shared, budget", "closed, shared, no budget", "closed, leaked, budget", "closed, leaked, no budget"]
            .into_iter()
            .zip(["open, shared, budget", "open, shared, no budget", "open, leaked, budget", "open, leaked, no budget"])
            .zip(KINDS)
            .map(|((closed, open), (_, kind))| ((closed, kind), open))
    {
        table.row(name, "≤ 1.3", floors(kind), ours(kind, false));
        table.row(open, "≤ 1.3", refusing_floor(kind), ours(kind, true));
    }
    table.print("stack");
    let mut table = Table::new();
    for ((name, kind), [layer, run_name, single_name]) in KINDS.into_iter().zip([
        ["layer, shared, budget", "run, shared, budget", "layer without retry, shared"],
        ["layer, shared, no budget", "run, shared, no budget", "-"],
        ["layer, leaked, budget", "run, leaked, budget", "layer without retry, leaked"],
        ["layer, leaked, no budget", "run, leaked, no budget", "-"],
    ]) {
        assert!(layer.ends_with(name), "the names are those of the kinds");
        table.row(layer, "< 1", ours(kind, false), composed(kind, false));
        table.row(run_name, "< 1", ours(kind, false), run(kind, false));
        if kind.budget {
            let [policy, by_hand] = single(kind, false);
            table.row(single_name, "< 1", by_hand, policy);
        }
    }
    let (shared, leaked) = (KINDS[1].1, KINDS[3].1);
    table.row("open: layer, shared, no budget", "≤ 1", ours(shared, true), composed(shared, true));
    table.row("open: layer, leaked, no budget", "≤ 1", ours(leaked, true), composed(leaked, true));
    table.row("open: run, shared, no budget", "≤ 1", ours(shared, true), run(shared, true));
    table.print("a policy, with the layers put together by hand in place of the floor");
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1)).sample_size(50);
    targets = closed, open
}

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    // When the rows are only tried out, or filtered, no table is wanted.
    if !std::env::args().any(|arg| arg == "--test" || arg == "--list") {
        ratios();
    }
}
