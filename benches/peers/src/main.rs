//! Measures rows in turn, and prints a Markdown table for each pattern.

mod counting;
mod report_circuit;
mod report_patterns;

mod table;
mod timing;

use std::env;
use std::process::ExitCode;

use seaworthy_peers::{Bench, PATTERNS};

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

/// Calls over which allocations are counted.
const CALLS: u64 = 1_000;

const CIRCUIT: &str = "circuit";

fn main() -> ExitCode {
    let (options, asked): (Vec<String>, Vec<String>) = env::args().skip(1).partition(|arg| arg.starts_with("--"));
    let known = |name: &str| name == CIRCUIT || PATTERNS.iter().any(|pattern| pattern.0 == name);
    if options.iter().any(|option| option != "--test") || !asked.iter().all(|name| known(name)) {
        let names: Vec<_> = PATTERNS.iter().map(|pattern| pattern.0).collect();
        eprintln!("usage: seaworthy-peers [--test] [{CIRCUIT}] [{}]", names.join("] ["));
        return ExitCode::FAILURE;
    }
    let once = !options.is_empty();
    let wanted = |name: &str| asked.is_empty() || asked.iter().any(|asked| asked == name);

    if wanted(CIRCUIT) {
        if once { report_circuit::once() } else { report_circuit::print() }
    }
    for (name, pattern) in PATTERNS.iter().filter(|pattern| wanted(pattern.0)) {
        if once { report_patterns::once(pattern()) } else { report_patterns::print(name, pattern()) }
    }
    if !once {
        println!("Nanoseconds a call; in brackets, times the first column's. The floors are written by hand.");
        println!("≈ the nearest thing the crate has. – nothing of the kind.");
    }
    ExitCode::SUCCESS
}

/// Exact: the same calls always make the same number of allocations.
fn allocations(bench: &mut dyn Bench, calls: u64) -> f64 {
    bench.time(calls);
    let before = counting::allocations();
    counting::count(true);
    bench.time(calls);
    counting::count(false);
    (counting::allocations() - before) as f64 / calls as f64
}
