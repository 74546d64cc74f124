//! The tables of the other patterns.

use seaworthy_peers::{Bench, Cell, Column, Pattern, Target};

use crate::table::{Table, Times};
use crate::timing::{Pace, interleaved, median};

/// Few, because some rows wait for a timer on every call.
const CALLS: u64 = 100;

/// Makes each row's call once, and prints only what goes wrong.
pub(crate) fn once(pattern: Pattern) {
    let cells = pattern.columns.into_iter().flat_map(|column| column.cells).filter_map(Cell::bench);
    let floors = pattern.floors.into_iter().flatten().map(|floor| floor.1);
    for mut bench in cells.chain(floors) {
        bench.time(1);
    }
}

pub(crate) fn print(name: &str, pattern: Pattern) {
    let Pattern { rows, columns, floors, targets } = pattern;
    let mut table = Table::new(columns.iter().map(|column| column.name));
    let (names, notes): (Vec<_>, Vec<_>) = columns.iter().map(|column| (column.name, column.note)).unzip();
    let mut cells: Vec<_> = columns.into_iter().map(|Column { cells, .. }| cells.into_iter()).collect();
    let (mut counts, mut measured) = (Vec::new(), Vec::new());
    for (title, floors) in rows.iter().zip(floors) {
        eprintln!("{name}: {title}");
        let row: Vec<Cell> = cells.iter_mut().filter_map(Iterator::next).collect();
        let exact = row.iter().map(Cell::is_exact).collect();
        let mut benches: Vec<_> = row.into_iter().map(Cell::bench).collect();
        let (floor_names, below): (Vec<_>, Vec<_>) = floors.into_iter().unzip();
        benches.extend(below.into_iter().map(Some));

        let mut rounds = interleaved(&mut benches, Pace::SHORT);
        let floors = floor_names.into_iter().zip(rounds.split_off(names.len())).collect();
        benches.truncate(names.len());
        let times = Times { rounds, exact, floors };
        table.times(title, &times);
        measured.push(times.rounds);
        counts.push((title, benches.into_iter().map(count).collect::<Vec<_>>()));
    }
    for (title, counts) in counts {
        table.counts(&format!("allocations a call, {title}"), counts.into_iter());
    }

    println!("## {name}\n\n{table}");
    for Target { row, ours, theirs, at_most } in targets {
        let rounds = |name| {
            let column = names.iter().position(|known| *known == name)?;
            measured.get(row)?.get(column)?.as_ref()
        };
        if let (Some(one), Some(other)) = (rounds(ours), rounds(theirs)) {
            let ratio = median(one.iter().zip(other).map(|(one, other)| one / other));
            println!("- {}: {ours} ÷ {theirs} = {ratio:.3}, wanted ≤ {at_most}", rows[row]);
        }
    }
    println!();
    for (name, note) in names.iter().zip(notes) {
        println!("- {name}: {note}");
    }
    println!();
}

fn count(bench: Option<Box<dyn Bench>>) -> Option<f64> {
    Some(crate::allocations(&mut *bench?, CALLS))
}
