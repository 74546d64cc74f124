//! What drills need to know.

use std::path::PathBuf;

use seaworthy_faults::seed::Seed;

/// How a run is to be.
#[derive(Clone, Debug)]
pub struct Setup {
    /// A program that calls [`worker::run`](super::worker::run) and that of leaders.
    pub program: PathBuf,
    /// What decides all random choices.
    pub seed: Seed,
    /// How much is done.
    pub size: Size,
}

/// How much a drill does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// As much as shows it, in seconds.
    Short,
    /// As much as the gates ask for.
    Long,
}

impl Size {
    /// The first in short, else the second.
    pub(super) fn or<T>(self, short: T, long: T) -> T {
        if self == Size::Short { short } else { long }
    }
}
