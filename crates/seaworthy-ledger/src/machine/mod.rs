//! The rules of a row: `now` is an argument, and nothing here reads a clock, locks, or draws a number.

mod row;
mod steps;

pub(crate) use row::{Claimed, Leftover, Row, State};
