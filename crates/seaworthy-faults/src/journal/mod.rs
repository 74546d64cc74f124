//! What processes did, written down by each of them, and judged together.
//!
//! ```text
//!   worker a ── Writer ──▶ a-1.jsonl ──┐
//!   worker b ── Writer ──▶ b-2.jsonl ──┼── Journal::read ──▶ lines by time ──▶ no_overlap, each_exactly_once, …
//!   the test ── Writer ──▶ test.jsonl ─┘
//! ```
//!
//! A judge says what it looked at, in numbers, and fails when it looked at nothing: a test whose workers did not do
//! anything proves nothing.

mod judges;
mod line;
mod overlap;
mod read;
#[cfg(unix)]
mod writer;

pub use line::{Entry, Line};
pub use read::Journal;
#[cfg(unix)]
pub use writer::Writer;
