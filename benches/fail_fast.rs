//! How fast a call fails while the circuit is open: a histogram of a million rejected calls through the layer.
//!
//! `cargo bench -p seaworthy-benches --bench fail_fast`; `-- --test` makes a thousand calls only.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a benchmark measures real time and may fail")]
#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

mod common;

use std::time::{Duration, Instant};

use common::{Inner, call};
use seaworthy::{CircuitBreaker, Verdict};
use tower::Layer;

fn main() {
    let calls = if std::env::args().any(|arg| arg == "--test") { 1_000 } else { 1_000_000 };
    let builder = CircuitBreaker::builder("fail-fast").consecutive_failures(1).open_for(Duration::from_secs(3600));
    let circuit_breaker = builder.build().unwrap();
    circuit_breaker.admit().unwrap().settle(Verdict::Failure);
    let mut service = circuit_breaker.layer().layer(Inner);

    let reading = histogram(calls, || ());
    let rejected = histogram(calls, || assert!(call(&mut service, 7).is_err()));
    assert_eq!(circuit_breaker.snapshot().rejected, calls as u64, "every call was rejected");

    println!("\n{calls} rejected calls, one by one; the time to read the clock around each is part of it\n");
    println!("| nanoseconds | p50 | p99 | p99.9 | max |\n|---|---:|---:|---:|---:|");
    print("nothing, between two clock reads", &reading);
    print("a rejected call", &rejected);
    println!();
}

/// The sorted times of `calls` runs, in nanoseconds.
fn histogram(calls: usize, mut work: impl FnMut()) -> Vec<u128> {
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let start = Instant::now();
        work();
        times.push(start.elapsed().as_nanos());
    }
    times.sort_unstable();
    times
}

fn print(name: &str, times: &[u128]) {
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("| {name} | {} | {} | {} | {} |", at(0.5), at(0.99), at(0.999), at(1.0));
}
