//! The other patterns, next to the crates that have them: one file per pattern.
//!
//! A circuit breaker has to be brought into its states and windows, and has its own loops in `bench`; a row here is
//! just a call that is repeated.

mod bulkhead;
#[path = "../../../common/bulkhead.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the benchmarks of the main package")]
mod bulkhead_floor;
mod call;
#[path = "../../../common/floor.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the benchmarks of the main package")]
mod floor;
mod http;
mod inner;
mod retry;
#[path = "../../../common/retry.rs"]
#[allow(unreachable_pub, reason = "shared with the benchmarks of the main package")]
mod retry_floor;
mod stack;
mod stack_peers;
mod timeout;
#[path = "../../../common/timeout.rs"]
#[allow(unreachable_pub, reason = "shared with the benchmarks of the main package")]
mod timeout_floor;

use crate::bench::Bench;

/// A table.
pub struct Pattern {
    pub rows: &'static [&'static str],
    /// The others are compared with the first.
    pub columns: Vec<Column>,
    /// For each row, by name.
    pub floors: Vec<Vec<(&'static str, Box<dyn Bench>)>>,
    pub targets: Vec<Target>,
}

/// A crate, or a way to use it.
pub struct Column {
    pub name: &'static str,
    /// Printed under the table: how it is called, and what it lacks.
    pub note: &'static str,
    /// For each row.
    pub cells: Vec<Cell>,
}

/// What a crate offers for a row.
pub enum Cell {
    Exact(Box<dyn Bench>),
    /// The nearest thing it has.
    Nearest(Box<dyn Bench>),
    Nothing,
}

/// The most that one column may cost, as a multiple of another.
pub struct Target {
    pub row: usize,
    pub ours: &'static str,
    pub theirs: &'static str,
    pub at_most: f64,
}

impl Cell {
    pub fn is_exact(&self) -> bool {
        !matches!(self, Self::Nearest(_))
    }

    pub fn bench(self) -> Option<Box<dyn Bench>> {
        match self {
            Self::Exact(bench) | Self::Nearest(bench) => Some(bench),
            Self::Nothing => None,
        }
    }
}

pub(crate) type BuildPattern = fn() -> Pattern;

/// By name, with what builds each; nothing is built until it is needed.
pub const PATTERNS: [(&str, BuildPattern); 4] = [
    ("bulkhead", bulkhead::pattern),
    ("timeout", timeout::pattern),
    ("retry", retry::pattern),
    ("stack", stack::pattern),
];
