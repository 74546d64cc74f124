//! Runs the drills of the durable queue, prints a table, and ends with 0 if all held that could be run.
//!
//! ```text
//!     cargo run -p seaworthy-drills --bin jobs                                              on SQLite
//!     cargo run -p seaworthy-drills --features servers --bin jobs -- --store=postgres       or --store=redis
//! ```
//!
//! `--short` does less of it; `--jobs=N` runs only the crash test, with so many jobs, which may be 100,000; `--seed=N`
//! repeats the random choices of a run.

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    use seaworthy_drills::jobs::program::Program;
    use seaworthy_drills::{jobs, leader};

    // It is its own workers' program, too; that of leaders keeps others from a file.
    if jobs::worker::run() || leader::worker::run() {
        return ExitCode::SUCCESS;
    }
    match Program::read(std::env::args().skip(1)) {
        Ok(program) if program.run() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Without signals there is nothing to show.
#[cfg(not(unix))]
fn main() -> ExitCode {
    ExitCode::FAILURE
}
