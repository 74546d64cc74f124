//! What a circuit breaker for each key costs a call, beside one circuit breaker for all.
//!
//! `cargo bench -p seaworthy-benches --bench keyed` prints criterion's times and then a table of ratios; `-- --test`
//! runs each row once.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a benchmark measures real time and may fail")]

mod common;

use std::hint::black_box;
use std::time::Duration;

use common::ratio::Table;
use common::{Inner, StackError, call};
use criterion::{BenchmarkId, Criterion, criterion_group};
use seaworthy::{CircuitBreaker, Keyed};
use tower::Layer;

/// With this many known keys.
fn keyed(keys: u64) -> Keyed<u64, CircuitBreaker> {
    let keyed = CircuitBreaker::builder("bench").keyed().max(100_000).build().unwrap();
    (0..keys).for_each(|key| drop(keyed.get(&key)));
    keyed
}

fn one() -> impl FnMut() -> Result<u64, StackError> {
    let mut service = CircuitBreaker::builder("bench").build().unwrap().layer().layer(Inner);
    move || call(&mut service, black_box(7))
}

/// The requests cycle through all keys.
fn by_key(keys: u64) -> impl FnMut() -> Result<u64, StackError> {
    let mut service = keyed(keys).layer(|request: &u64| request).layer(Inner);
    let mut request = 0;
    move || {
        request = (request + 7) % keys;
        call(&mut service, black_box(request))
    }
}

/// A family that is full and can evict nothing, and the handles that keep it so.
fn full() -> (Keyed<u64, CircuitBreaker>, Vec<CircuitBreaker>) {
    let keyed = CircuitBreaker::builder("bench").keyed().max(1_000).build().unwrap();
    let held = (0..1_000).map(|key| keyed.get(&key)).collect();
    (keyed, held)
}

/// Looks up one key out of `keys`, in turn.
fn look_up(keys: std::ops::Range<u64>) -> impl FnMut() -> CircuitBreaker {
    let ((keyed, held), mut next) = (full(), 0);
    move || {
        let _ = &held;
        next = (next + 7) % (keys.end - keys.start);
        keyed.get(black_box(&(keys.start + next)))
    }
}

fn calls(c: &mut Criterion) {
    let mut group = c.benchmark_group("keyed");
    let mut single = one();
    group.bench_function("one circuit", |b| b.iter(&mut single));
    for keys in [10, 10_000] {
        let keyed = keyed(keys);
        group.bench_function(BenchmarkId::new("get", keys), |b| b.iter(|| keyed.get(black_box(&7))));
        let mut ask = by_key(keys);
        group.bench_function(BenchmarkId::new("call", keys), |b| b.iter(&mut ask));
    }
    let (mut known, mut unknown) = (look_up(0..1_000), look_up(1_000..1_000_000));
    group.bench_function("full, a known key", |b| b.iter(&mut known));
    group.bench_function("full, an unknown key", |b| b.iter(&mut unknown));
    group.finish();
}

fn ratios() {
    let mut table = Table::new();
    table.row("a call, 10 keys, to one circuit", "–", one(), by_key(10));
    table.row("a call, 10,000 keys, to one circuit", "–", one(), by_key(10_000));
    table.row("full, an unknown key, to a known one", "3", look_up(0..1_000), look_up(1_000..1_000_000));
    table.print("keyed");
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1)).sample_size(50);
    targets = calls
}

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    if !std::env::args().any(|arg| arg == "--test" || arg == "--list") {
        ratios();
    }
}
