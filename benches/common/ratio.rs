//! Ratios that hold on a noisy machine: two things are measured in turn, many times, and the result is the median of
//! the ratios of neighbours.

use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: usize = 61;
const ROUND: Duration = Duration::from_millis(2);

pub(crate) struct Table {
    rows: Vec<Row>,
}

struct Row {
    name: &'static str,
    floor: f64,
    ours: f64,
    ratio: f64,
    target: &'static str,
}

impl Table {
    pub(crate) fn new() -> Table {
        Table { rows: Vec::new() }
    }

    /// Measures `ours` against `floor`.
    pub(crate) fn row<A, B>(
        &mut self,
        name: &'static str,
        target: &'static str,
        mut floor: impl FnMut() -> A,
        mut ours: impl FnMut() -> B,
    ) {
        let (floor_calls, our_calls) = (calls_in_a_round(&mut floor), calls_in_a_round(&mut ours));
        let mut rounds: Vec<(f64, f64)> =
            (0..ROUNDS).map(|_| (nanos(floor_calls, &mut floor), nanos(our_calls, &mut ours))).collect();
        rounds.sort_by(|a, b| (a.1 / a.0).total_cmp(&(b.1 / b.0)));
        let ratio = rounds[ROUNDS / 2].1 / rounds[ROUNDS / 2].0;
        let median = |pick: fn(&(f64, f64)) -> f64| {
            let mut values: Vec<f64> = rounds.iter().map(pick).collect();
            values.sort_by(f64::total_cmp);
            values[ROUNDS / 2]
        };
        self.rows.push(Row { name, floor: median(|round| round.0), ours: median(|round| round.1), ratio, target });
    }

    /// A row whose two sides were measured elsewhere.
    pub(crate) fn measured(&mut self, name: &'static str, target: &'static str, floor: f64, ours: f64) {
        self.rows.push(Row { name, floor, ours, ratio: ours / floor, target });
    }

    pub(crate) fn print(&self, title: &str) {
        println!("\n{title}: nanoseconds a call, medians of {ROUNDS} rounds in turn\n");
        println!("| path | floor | seaworthy | ratio | target |\n|---|---:|---:|---:|---|");
        for Row { name, floor, ours, ratio, target } in &self.rows {
            println!("| {name} | {floor:.1} | {ours:.1} | {ratio:.2} | {target} |");
        }
        println!();
    }
}

fn calls_in_a_round<T>(work: &mut impl FnMut() -> T) -> u32 {
    let mut calls = 64;
    while nanos(calls, work) * f64::from(calls) < ROUND.as_nanos() as f64 / 2.0 && calls < 1 << 24 {
        calls *= 2;
    }
    calls
}

/// Nanoseconds per call.
pub(crate) fn nanos<T>(calls: u32, work: &mut impl FnMut() -> T) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        black_box(work());
    }
    start.elapsed().as_nanos() as f64 / f64::from(calls)
}
