//! What a circuit breaker costs a call, each row beside its floor.
//!
//! `cargo bench -p seaworthy-benches --bench circuit_breaker` prints criterion's times and then a table of ratios; `--
//! --test` runs each row once.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a benchmark measures real time and may fail")]

mod common;

use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use common::floor::{Floor, Work};
use common::ratio::{Table, nanos};
use common::{Inner, StackError, call};
use criterion::{BenchmarkId, Criterion, criterion_group};
use seaworthy::circuit_breaker::{CircuitBreakerBuilder, CircuitBreakerService, Permit};
use seaworthy::{CircuitBreaker, Verdict};
use tower::Layer;

const HOUR: Duration = Duration::from_secs(3600);

fn builder() -> CircuitBreakerBuilder {
    CircuitBreaker::builder("bench").open_for(HOUR)
}

fn around(circuit_breaker: &CircuitBreaker) -> CircuitBreakerService<Inner> {
    circuit_breaker.layer().layer(Inner)
}

fn consecutive() -> CircuitBreaker {
    builder().consecutive_failures(5).build().unwrap()
}

fn count_window() -> CircuitBreaker {
    builder().failure_rate(0.5).count_window(100).minimum_calls(20).build().unwrap()
}

/// With one failure in the window, so that successes have to be counted.
fn stained_count_window() -> CircuitBreaker {
    let builder = builder().failure_rate(0.5).count_window(1_000_000).minimum_calls(20);
    stained(builder.build().unwrap())
}

/// With this many calls in the window, one of them a failure.
fn time_window(calls: u32) -> CircuitBreaker {
    let circuit_breaker = builder().failure_rate(0.5).time_window(HOUR).minimum_calls(20).build().unwrap();
    (0..calls).for_each(|_| circuit_breaker.admit().unwrap().settle(Verdict::Success));
    if calls > 0 { stained(circuit_breaker) } else { circuit_breaker }
}

fn stained(circuit_breaker: CircuitBreaker) -> CircuitBreaker {
    for verdict in [Verdict::Success; 50].into_iter().chain([Verdict::Failure, Verdict::Success]) {
        circuit_breaker.admit().unwrap().settle(verdict);
    }
    circuit_breaker
}

fn open() -> CircuitBreaker {
    let circuit_breaker = builder().consecutive_failures(1).build().unwrap();
    circuit_breaker.admit().unwrap().settle(Verdict::Failure);
    circuit_breaker
}

/// With its only probe in flight.
fn half_open() -> (CircuitBreaker, Permit) {
    let builder = builder().consecutive_failures(1).open_for(Duration::from_nanos(1)).probe_timeout(HOUR);
    let circuit_breaker = builder.build().unwrap();
    circuit_breaker.admit().unwrap().settle(Verdict::Failure);
    let probe = circuit_breaker.admit().unwrap();
    (circuit_breaker, probe)
}

fn ask<S>(service: &mut S) -> Result<u64, StackError>
where
    S: tower::Service<u64, Response = u64, Error = StackError>,
{
    call(service, black_box(7))
}

fn closed(c: &mut Criterion) {
    let mut group = c.benchmark_group("closed");
    for (name, work) in
        [("arc", Work::Nothing), ("arc + count", Work::Count), ("arc + count + clock", Work::CountAndClock)]
    {
        let mut floor = Floor::shared(Inner, work);
        group.bench_function(BenchmarkId::new("floor", name), |b| b.iter(|| ask(&mut floor)));
    }
    let mut floor = Floor::leaked(Inner, Work::Nothing);
    group.bench_function(BenchmarkId::new("floor", "static"), |b| b.iter(|| ask(&mut floor)));
    for (name, circuit_breaker) in [
        ("consecutive", consecutive()),
        ("count window", count_window()),
        ("count window, a failure in it", stained_count_window()),
        ("time window, 0 calls", time_window(0)),
        ("time window, 1,000 calls", time_window(1_000)),
        ("time window, 50,000 calls", time_window(50_000)),
    ] {
        group.bench_function(BenchmarkId::new("shared", name), |b| {
            let mut service = around(&circuit_breaker);
            b.iter(|| ask(&mut service));
        });
        group.bench_function(BenchmarkId::new("leaked", name), |b| {
            let mut service = around(&circuit_breaker.clone().leak());
            b.iter(|| ask(&mut service));
        });
    }
    group.finish();
}

fn rejected(c: &mut Criterion) {
    let mut group = c.benchmark_group("rejected");
    group.bench_function("floor: one clock read", |b| b.iter(Instant::now));
    let mut service = around(&open().leak());
    group.bench_function("open", |b| b.iter(|| ask(&mut service)));
    let (circuit_breaker, _probe) = half_open();
    let mut service = around(&circuit_breaker.leak());
    group.bench_function("half-open", |b| b.iter(|| ask(&mut service)));
    group.finish();
}

/// The target rows, each against its floor, measured in turn.
fn ratios() {
    let mut table = Table::new();
    let floor = |work| {
        let mut floor = Floor::shared(Inner, work);
        move || ask(&mut floor)
    };
    let ours = |circuit_breaker: CircuitBreaker| {
        let mut service = around(&circuit_breaker);
        move || ask(&mut service)
    };
    let mut static_floor = Floor::leaked(Inner, Work::Nothing);
    table.row("closed, consecutive, shared", "≤ 1.3", floor(Work::Nothing), ours(consecutive()));
    table.row("closed, consecutive, leaked", "≤ 2", move || ask(&mut static_floor), ours(consecutive().leak()));
    table.row("closed, count window", "≤ 1.3", floor(Work::Count), ours(count_window()));
    table.row("closed, count window, a failure in it", "≤ 1.3", floor(Work::Count), ours(stained_count_window()));
    for (name, calls) in [
        ("closed, time window, 0 calls", 0),
        ("closed, time window, 1,000 calls", 1_000),
        ("closed, time window, 50,000 calls", 50_000),
    ] {
        table.row(name, "≤ 1.1", floor(Work::CountAndClock), ours(time_window(calls)));
    }
    table.row("open, against one clock read", "≤ clock + 10 ns", Instant::now, ours(open().leak()));
    let (circuit_breaker, _probe) = half_open();
    table.row("half-open, against one clock read", "–", Instant::now, ours(circuit_breaker.leak()));
    two_threads(&mut table);
    table.print("circuit");
}

/// Two threads that share a leaked circuit breaker, against two that have one each.
fn two_threads(table: &mut Table) {
    const CALLS: u32 = 200_000;
    let pair = |circuits: [CircuitBreaker; 2]| {
        let start = Barrier::new(2);
        let times = std::thread::scope(|scope| {
            let threads = circuits.map(|circuit_breaker| {
                let start = &start;
                scope.spawn(move || {
                    let mut service = around(&circuit_breaker);
                    start.wait();
                    nanos(CALLS, &mut || ask(&mut service))
                })
            });
            threads.map(|thread| thread.join().unwrap())
        });
        f64::midpoint(times[0], times[1])
    };
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let (mut apart, mut together) = (Vec::new(), Vec::new());
    for _ in 0..31 {
        apart.push(pair([consecutive().leak(), consecutive().leak()]));
        let shared = consecutive().leak();
        together.push(pair([shared.clone(), shared]));
    }
    table.measured("closed, leaked, two threads that share, against apart", "≤ 1.1", median(apart), median(together));
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1)).sample_size(50);
    targets = closed, rejected
}

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    // When the rows are only tried out, or filtered, no table is wanted.
    if !std::env::args().any(|arg| arg == "--test" || arg == "--list") {
        ratios();
    }
}
