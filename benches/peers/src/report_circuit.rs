//! The table of circuit breakers.

use std::thread;

use seaworthy_peers::{Entry, Row, entries, floors};

use crate::table::{self, Table};
use crate::timing::{Pace, interleaved};
use crate::{CALLS, counting};

/// Breakers over which heap bytes are counted.
const BREAKERS: usize = 100_000;

/// Makes each row's calls once, and prints only what goes wrong.
pub(crate) fn once() {
    for row in Row::ALL {
        let benches = entries().into_iter().filter_map(|entry| (entry.bench)(row));
        for mut bench in benches.chain(floors(row).into_iter().map(|floor| floor.1)) {
            bench.time(1);
        }
    }
}

pub(crate) fn print() {
    let entries = entries();
    let mut table = Table::new(entries.iter().map(|entry| entry.name));
    for row in Row::ALL {
        eprintln!("{}", row.title());
        table.times(&row.title(), &times(row, &entries));
    }
    for (title, row) in [("closed", Row::Consecutive), ("open", Row::Open)] {
        let title = format!("allocations a call, {title}");
        let count = |entry: &Entry| Some(crate::allocations(&mut *(entry.bench)(row)?, CALLS));
        table.counts(&title, entries.iter().map(count));
    }
    let title = format!("heap bytes for each of {} breakers", table::grouped(BREAKERS as f64));
    table.counts(&title, entries.iter().map(|entry| heap(*entry)));

    println!("## circuit\n\n{table}");
    for Entry { name, note, .. } in entries {
        println!("- {name}: {note}");
    }
    if thread::available_parallelism().map_or(true, |cores| cores.get() < 2) {
        println!("\nThis machine has one core: the rows with two threads mean nothing here.");
    }
    println!();
}

fn times(row: Row, entries: &[Entry]) -> table::Times {
    let mut benches: Vec<_> = entries.iter().map(|entry| (entry.bench)(row)).collect();
    let peers = benches.len();
    let (names, below): (Vec<_>, Vec<_>) = floors(row).into_iter().unzip();
    benches.extend(below.into_iter().map(Some));

    let pace = if matches!(row, Row::Shared | Row::Apart) { Pace::LONG } else { Pace::SHORT };
    let mut rounds = interleaved(&mut benches, pace);
    let floors = names.into_iter().zip(rounds.split_off(peers)).collect();
    // Only the first rows are about a rule; for the others any rule will do.
    let is_rule = matches!(row, Row::Consecutive | Row::CountWindow | Row::TimeWindow(_));
    let exact = entries.iter().map(|entry| !is_rule || (entry.exact)(row.rule())).collect();
    table::Times { rounds, exact, floors }
}

fn heap(entry: Entry) -> Option<f64> {
    // What a crate allocates once per process belongs to no breaker.
    drop((entry.bench)(Row::Consecutive));
    counting::count(true);
    let bytes = (entry.heap)(BREAKERS, &counting::in_use);
    counting::count(false);
    Some(bytes as f64 / BREAKERS as f64)
}
