//! What the demonstration prints.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use axum::http::StatusCode;

/// Prints lines with the time since the start.
#[derive(Clone, Copy)]
pub(crate) struct Story(Instant);

impl Story {
    pub(crate) fn begin() -> Story {
        Story(Instant::now())
    }

    pub(crate) fn chapter(self, title: &str) {
        println!("\n{title}");
    }

    pub(crate) fn line(self, text: impl fmt::Display) {
        println!("{:>8.3} s  {text}", self.0.elapsed().as_secs_f64());
    }
}

/// The responses of one chapter, counted.
pub(crate) struct Tally {
    title: &'static str,
    statuses: BTreeMap<StatusCode, u64>,
    /// Requests that reached the backend, and those that did so while the circuit was open.
    pub(crate) backend: u64,
    pub(crate) backend_while_open: u64,
}

impl Tally {
    pub(crate) fn new(title: &'static str) -> Tally {
        Tally { title, statuses: BTreeMap::new(), backend: 0, backend_while_open: 0 }
    }

    pub(crate) fn add(&mut self, status: StatusCode) {
        self.add_many(status, 1);
    }

    pub(crate) fn add_many(&mut self, status: StatusCode, count: usize) {
        *self.statuses.entry(status).or_default() += count as u64;
    }
}

const COLUMNS: [StatusCode; 5] = [
    StatusCode::OK,
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::BAD_GATEWAY,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::GATEWAY_TIMEOUT,
];

pub(crate) fn print_tallies(tallies: &[Tally]) {
    println!("\nWhat callers got, and how many calls the backend saw\n");
    print!("{:<26}", "the backend");
    COLUMNS.iter().for_each(|status| print!("{:>7}", status.as_u16()));
    println!("{:>16}{:>16}", "backend saw", "while open");
    for tally in tallies {
        print!("{:<26}", tally.title);
        for status in COLUMNS {
            match tally.statuses.get(&status) {
                Some(count) => print!("{count:>7}"),
                None => print!("{:>7}", "-"),
            }
        }
        println!("{:>16}{:>16}", tally.backend, tally.backend_while_open);
    }
}
