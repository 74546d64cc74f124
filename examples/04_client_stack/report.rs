//! What callers got, in words, and a row of the table.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Response;
use seaworthy::{BoxError, Rejected, StackError, State};

use crate::stack::TOTAL;

pub(crate) struct Row {
    pub(crate) title: &'static str,
    /// What callers got, with the count of each.
    pub(crate) got: BTreeMap<String, u64>,
    pub(crate) slowest: Duration,
    pub(crate) attempts: u64,
    pub(crate) retries: u64,
    pub(crate) arrived: u64,
    pub(crate) circuit_breaker: State,
    pub(crate) back_after: Duration,
}

impl Row {
    pub(crate) fn got(&self, what: &str) -> u64 {
        self.got.get(what).copied().unwrap_or_default()
    }

    pub(crate) fn print_head() {
        println!(
            "{:<24}{:<42}{:>9}{:>9}{:>9}{:>10}{:>10}{:>10}",
            "the backend", "callers got", "attempts", "retries", "arrived", "slowest", "circuit", "back in"
        );
    }

    pub(crate) fn print(&self) {
        let Row { title, slowest, attempts, retries, arrived, circuit_breaker, back_after, .. } = self;
        let mut got = self.got.iter().map(|(what, count)| format!("{count:>3} {what}"));
        println!(
            "{title:<24}{:<42}{attempts:>9}{retries:>9}{arrived:>9}{:>10}{:>10}{:>10}",
            got.next().unwrap_or_default(),
            readable(*slowest),
            circuit_breaker.to_string(),
            readable(*back_after)
        );
        got.for_each(|got| println!("{:<24}{got}", ""));
    }
}

fn readable(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

pub(crate) fn in_words(result: &Result<Response<Bytes>, BoxError>) -> String {
    let error = match result {
        Ok(response) => return response.status().as_u16().to_string(),
        Err(error) => error,
    };
    match error.rejected() {
        Some(Rejected::CircuitOpen { .. }) => "circuit open".into(),
        Some(Rejected::BulkheadFull { .. }) => "bulkhead full".into(),
        Some(Rejected::TimedOut { after, .. }) if *after == TOTAL => "timed out, in total".into(),
        Some(Rejected::TimedOut { .. }) => "timed out, each attempt".into(),
        _ => root(error.as_ref()),
    }
}

/// The root cause says most.
fn root(error: &(dyn StdError + 'static)) -> String {
    // Bounded, because an error may be its own source.
    let root = std::iter::successors(Some(error), |&error| error.source()).take(16).last().unwrap_or(error);
    match root.downcast_ref::<std::io::Error>() {
        Some(error) => error.kind().to_string(),
        None => root.to_string(),
    }
}
