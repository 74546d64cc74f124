//! Measures every row, interleaved, and prints one Markdown table.

mod counting;
mod table;
mod timing;

use std::thread;

use seaworthy_peers::{Entry, Row, entries, floors};

use crate::table::Table;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

/// Calls over which allocations are counted.
const CALLS: u64 = 1_000;

/// Breakers over which heap bytes are counted.
const BREAKERS: usize = 100_000;

fn main() {
    let entries = entries();
    let mut table = Table::new(entries.iter().map(|entry| entry.name));
    for row in Row::ALL {
        eprintln!("{}", row.title());
        table.times(&row.title(), &times(row, &entries));
    }
    for (title, row) in [("closed", Row::Consecutive), ("open", Row::Open)] {
        let title = format!("allocations a call, {title}");
        table.counts(&title, entries.iter().map(|entry| allocations(*entry, row)));
    }
    let title = format!("heap bytes for each of {} breakers", table::grouped(BREAKERS as f64));
    table.counts(&title, entries.iter().map(|entry| heap(*entry)));

    println!("{table}");
    println!("Nanoseconds a call; in brackets, times seaworthy's. The floors are written by hand.");
    println!("≈ the nearest thing the crate has. – nothing of the kind.\n");
    for Entry { name, note, .. } in entries {
        println!("- {name}: {note}");
    }
    if thread::available_parallelism().map_or(true, |cores| cores.get() < 2) {
        println!("\nThis machine has one core: the rows with two threads mean nothing here.");
    }
}

fn times(row: Row, entries: &[Entry]) -> table::Times {
    let mut benches: Vec<_> = entries.iter().map(|entry| (entry.bench)(row)).collect();
    let peers = benches.len();
    let (names, below): (Vec<_>, Vec<_>) = floors(row).into_iter().unzip();
    benches.extend(below.into_iter().map(Some));

    let mut rounds = timing::interleaved(&mut benches);
    let floors = names.into_iter().zip(rounds.split_off(peers)).collect();
    // Only the first rows are about a rule; in the others any rule will do.
    let is_rule = matches!(row, Row::Consecutive | Row::CountWindow | Row::TimeWindow(_));
    let exact = entries.iter().map(|entry| !is_rule || (entry.exact)(row.rule())).collect();
    table::Times { rounds, exact, floors }
}

/// Exact: the same calls always allocate the same number of times.
fn allocations(entry: Entry, row: Row) -> Option<f64> {
    let mut bench = (entry.bench)(row)?;
    bench.time(CALLS);
    let before = counting::allocations();
    counting::count(true);
    bench.time(CALLS);
    counting::count(false);
    Some((counting::allocations() - before) as f64 / CALLS as f64)
}

fn heap(entry: Entry) -> Option<f64> {
    // What a crate allocates once for the process is not any breaker's.
    drop((entry.bench)(Row::Consecutive));
    counting::count(true);
    let bytes = (entry.heap)(BREAKERS, &counting::in_use);
    counting::count(false);
    Some(bytes as f64 / BREAKERS as f64)
}
