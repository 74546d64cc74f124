//! What a retry costs, beside tower's and beside a floor: the cheapest conceivable retry, written by hand.
//!
//! `cargo bench -p seaworthy-benches --bench retry` first prints ratios, taken in turn (A B C A B C ..) so that a noisy
//! moment hits all rows, and then runs the same rows under criterion.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark reads the clock, prints, and ends when something is wrong"
)]

#[path = "common/retry.rs"]
mod floor;

use std::fmt;
use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use criterion::Criterion;
use floor::Floor;
use seaworthy::{Backoff, Error, RetryBudget, RetryPolicy};
use tower::retry::budget::{Budget, TpsBudget};
use tower::{Layer, Service};

type Outcome = Result<u64, Error<Failure>>;

#[derive(Clone, Copy, Debug)]
struct Failure;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failure")
    }
}

/// Fails all calls except every `good_every`-th.
#[derive(Clone)]
struct Inner {
    calls: &'static AtomicU64,
    good_every: u64,
}

impl Inner {
    fn new(good_every: u64) -> Inner {
        Inner { calls: Box::leak(Box::default()), good_every }
    }
}

impl Service<u64> for Inner {
    type Response = u64;
    type Error = Error<Failure>;
    type Future = Ready<Outcome>;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(black_box(Ok(())))
    }

    #[inline]
    fn call(&mut self, request: u64) -> Self::Future {
        let call = self.calls.load(Ordering::Relaxed) + 1;
        let good = call == self.good_every;
        self.calls.store(if good { 0 } else { call }, Ordering::Relaxed);
        ready(black_box(if good { Ok(request) } else { Err(Error::Inner(Failure)) }))
    }
}

/// tower's retry, with or without its budget, as its documentation shows it.
#[derive(Clone)]
struct TowerPolicy {
    attempts: u32,
    budget: Option<Arc<TpsBudget>>,
}

impl tower::retry::Policy<u64, u64, Error<Failure>> for TowerPolicy {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut u64, result: &mut Outcome) -> Option<Ready<()>> {
        match result {
            Ok(_) => {
                if let Some(budget) = &self.budget {
                    budget.deposit();
                }
                None
            }
            Err(_) => {
                let paid = self.budget.as_ref().is_none_or(|budget| budget.withdraw());
                if !paid || self.attempts == 0 {
                    return None;
                }
                self.attempts -= 1;
                Some(ready(()))
            }
        }
    }

    fn clone_request(&mut self, request: &u64) -> Option<u64> {
        Some(*request)
    }
}

#[inline]
fn call<S: Service<u64>>(service: &mut S) -> Option<Result<S::Response, S::Error>> {
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(())) = service.poll_ready(&mut cx) else { return None };
    match pin!(service.call(black_box(7))).poll(&mut cx) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}

/// One row of a table: a name, and how to make a number of calls.
struct Row {
    name: &'static str,
    run: Box<dyn FnMut(u64)>,
}

fn row<S>(name: &'static str, mut service: S) -> Row
where
    S: Service<u64, Response = u64> + 'static,
{
    let run = move |calls| {
        for _ in 0..calls {
            assert!(matches!(call(&mut service), Some(Ok(7))), "every call ends well, at its first poll");
        }
    };
    Row { name, run: Box::new(run) }
}

fn rows(tries: u64, budget: bool) -> Vec<Row> {
    let inner = || Inner::new(tries);
    let plenty = RetryBudget::builder().ratio(1.0).floor(u32::MAX).refill_per_second(u32::MAX).build().unwrap();
    let builder = RetryPolicy::builder("bench").backoff(Backoff::constant(Duration::ZERO));
    let ours = if budget { builder.budget(plenty) } else { builder.no_budget() };
    let theirs = TowerPolicy {
        attempts: 2,
        budget: budget.then(|| Arc::new(TpsBudget::new(Duration::from_secs(10), i32::MAX as u32 - 1, 1.0))),
    };
    vec![
        row("floor", Floor::new(inner(), budget)),
        row("seaworthy", ours.build().unwrap().layer().layer(inner())),
        row("tower", tower::retry::RetryLayer::new(theirs).layer(inner())),
    ]
}

const ROUNDS: usize = 601;
const TURN: Duration = Duration::from_micros(150);

fn time(row: &mut Row, calls: u64) -> f64 {
    let start = Instant::now();
    (row.run)(calls);
    start.elapsed().as_secs_f64() * 1e9 / calls as f64
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn print_ratios(title: &str, mut rows: Vec<Row>) {
    let calls: Vec<u64> =
        rows.iter_mut().map(|row| (TURN.as_secs_f64() * 1e9 / time(row, 50_000)) as u64 + 1).collect();
    let rounds: Vec<Vec<f64>> =
        (0..ROUNDS).map(|_| rows.iter_mut().zip(&calls).map(|(row, calls)| time(row, *calls)).collect()).collect();
    println!("{title}");
    for (index, row) in rows.iter().enumerate() {
        let ns = median(rounds.iter().map(|round| round[index]));
        let to = |other: usize| median(rounds.iter().map(|round| round[index] / round[other]));
        println!("  {:<10} {ns:>7.1} ns   {:>5.2} x floor   {:>5.2} x tower", row.name, to(0), to(2));
    }
}

const TABLES: [(&str, u64, bool); 4] = [
    ("first try, budget", 1, true),
    ("first try, no budget", 1, false),
    ("three tries without wait, budget", 3, true),
    ("three tries without wait, no budget", 3, false),
];

fn main() {
    for (title, tries, budget) in TABLES {
        print_ratios(title, rows(tries, budget));
    }
    let mut criterion = Criterion::default().configure_from_args();
    for (title, tries, budget) in TABLES {
        let mut group = criterion.benchmark_group(title);
        for mut row in rows(tries, budget) {
            group.bench_function(row.name, |bencher| {
                bencher.iter_custom(|calls| {
                    let start = Instant::now();
                    (row.run)(calls);
                    start.elapsed()
                });
            });
        }
        group.finish();
    }
    criterion.final_summary();
}
