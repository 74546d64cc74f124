//! Runs the drills of leadership, prints a table, and ends with 0 if all held that could be run.
//!
//! ```text
//!     cargo run -p seaworthy-drills --bin failover                                          on SQLite
//!     cargo run -p seaworthy-drills --features servers --bin failover -- --store=postgres
//! ```
//!
//! `--short` leaves out what takes longest; see the table for what was run.

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    use std::time::Duration;

    use seaworthy_drills::leader::drill;
    use seaworthy_drills::leader::group::Setup;
    use seaworthy_drills::leader::row::{self, Row};
    use seaworthy_drills::leader::store::Store;
    use seaworthy_drills::leader::worker;
    use seaworthy_drills::verdict::Verdict;

    // It is its own workers' program, too.
    if worker::run() {
        return ExitCode::SUCCESS;
    }
    let (mut store, mut is_short) = (Store::Sqlite, false);
    for arg in std::env::args().skip(1) {
        match arg.strip_prefix("--store=").map(Store::named) {
            Some(Some(named)) => store = named,
            None if arg == "--short" => is_short = true,
            _ => {
                eprintln!(
                    "{arg}? There are --short, --store=sqlite and, with the feature `servers`, --store=postgres."
                );
                return ExitCode::FAILURE;
            }
        }
    }
    let program = std::env::current_exe().expect("a program is a file");
    let setup = Setup { program, store };
    let time = Duration::from_secs(if is_short { 30 } else { 60 });
    // What mostly waits runs beside the rest.
    let rows: Vec<Row> = std::thread::scope(|scope| {
        let once = scope.spawn(|| drill::once_at_defaults(&setup));
        let away = scope.spawn(|| drill::store_away_at_defaults(&setup));
        let mut rows = vec![
            drill::killed(&setup),
            drill::stopped(&setup),
            drill::cut_off(&setup),
            drill::asked_to_end(&setup),
            drill::store_away(&setup),
            drill::terminated(&setup),
            drill::at_random(&setup, time),
        ];
        rows.extend([once, away].map(|drill| drill.join().expect("a drill's panic is in its row")));
        rows
    });
    println!("\n{}", row::head());
    for row in &rows {
        println!("{row}");
    }
    let failed = rows.iter().filter(|row| matches!(row.verdict, Verdict::Failed(_))).count();
    let not_here = rows.iter().filter(|row| matches!(row.verdict, Verdict::NotHere(_))).count();
    println!("{} held, {not_here} not run on this store, {failed} failed", rows.len() - failed - not_here);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Without signals there is nothing to show.
#[cfg(not(unix))]
fn main() -> ExitCode {
    ExitCode::FAILURE
}
