//! What two threads cost each other: one thread, two with one thing each, and two that share one.
//!
//! `cargo bench -p seaworthy-benches --bench contention` prints criterion's times and then a table of ratios; `--
//! --test` runs each row once.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a benchmark measures real time and may fail")]

mod common;

use std::hint::black_box;
use std::sync::Barrier;
use std::time::Duration;

use common::floor::{Floor, Work};
use common::ratio::{Table, nanos};
use common::{Inner, StackError, call};
use criterion::{Criterion, criterion_group};
use seaworthy::{Bulkhead, CircuitBreaker};
use tower::{Layer, Service};

/// Makes a new service with its own state, which its clones share.
struct Kind {
    name: &'static str,
    /// Runs the pattern, with this many calls in each thread.
    run: fn(Sharing, u32) -> f64,
}

#[derive(Clone, Copy, PartialEq)]
enum Sharing {
    OneThread,
    Apart,
    Shared,
}

const KINDS: [Kind; 6] = [
    Kind { name: "floor, arc", run: |sharing, calls| run(|| Floor::shared(Inner, Work::Nothing), sharing, calls) },
    Kind {
        name: "floor, arc + count",
        run: |sharing, calls| run(|| Floor::shared(Inner, Work::Count), sharing, calls),
    },
    Kind {
        name: "circuit, shared",
        run: |sharing, calls| run(|| circuit_breaker().layer().layer(Inner), sharing, calls),
    },
    Kind {
        name: "circuit, leaked",
        run: |sharing, calls| run(|| circuit_breaker().leak().layer().layer(Inner), sharing, calls),
    },
    Kind { name: "bulkhead, shared", run: |sharing, calls| run(|| bulkhead().layer().layer(Inner), sharing, calls) },
    Kind {
        name: "bulkhead, leaked",
        run: |sharing, calls| run(|| bulkhead().leak().layer().layer(Inner), sharing, calls),
    },
];

fn circuit_breaker() -> CircuitBreaker {
    CircuitBreaker::builder("bench").consecutive_failures(5).build().unwrap()
}

fn bulkhead() -> Bulkhead {
    Bulkhead::builder("bench").build().unwrap()
}

/// Nanoseconds per call, as each thread sees them.
fn run<S>(make: impl Fn() -> S, sharing: Sharing, calls: u32) -> f64
where
    S: Service<u64, Response = u64, Error = StackError> + Clone + Send,
{
    let first = make();
    let services = match sharing {
        Sharing::OneThread => vec![first],
        Sharing::Apart => vec![first, make()],
        Sharing::Shared => vec![first.clone(), first],
    };
    let start = Barrier::new(services.len());
    let times: Vec<f64> = std::thread::scope(|scope| {
        let threads: Vec<_> = services
            .into_iter()
            .map(|mut service| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    nanos(calls, &mut || call(&mut service, black_box(7)).unwrap())
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    times.iter().sum::<f64>() / times.len() as f64
}

fn contention(c: &mut Criterion) {
    for (title, sharing) in [
        ("one thread", Sharing::OneThread),
        ("two threads apart", Sharing::Apart),
        ("two threads that share", Sharing::Shared),
    ] {
        let mut group = c.benchmark_group(title);
        for kind in &KINDS {
            group.bench_function(kind.name, |bencher| {
                bencher.iter_custom(|calls| {
                    let calls = u32::try_from(calls).unwrap_or(u32::MAX);
                    Duration::from_secs_f64((kind.run)(sharing, calls) * f64::from(calls) / 1e9)
                });
            });
        }
        group.finish();
    }
}

/// Two threads that share against two that do not, and those against a single thread, all three in turn.
fn ratios() {
    const CALLS: u32 = 100_000;
    const ROUNDS: usize = 31;
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let (mut apart_to_one, mut shared_to_apart) = (Table::new(), Table::new());
    for kind in &KINDS {
        let mut times = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (sharing, times) in [Sharing::OneThread, Sharing::Apart, Sharing::Shared].into_iter().zip(&mut times) {
                times.push((kind.run)(sharing, CALLS));
            }
        }
        let [one, apart, shared] = times.each_mut().map(median);
        let target = if kind.name == "circuit, leaked" { "≤ 1.1" } else { "–" };
        apart_to_one.measured(kind.name, "≤ 1.1", one, apart);
        shared_to_apart.measured(kind.name, target, apart, shared);
    }
    apart_to_one.print("contention: the floor is one thread, beside two threads that have one each");
    shared_to_apart.print("contention: the floor is two threads that have one each, beside two that share");
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1)).sample_size(20);
    targets = contention
}

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    // When the rows are only tried out, or filtered, no table is wanted.
    if !std::env::args().any(|arg| arg == "--test" || arg == "--list") {
        ratios();
    }
}
