//! What a proxy does at the moment to what passes through it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server: what is asked.
    Up,
    /// From the server to the client: what is answered.
    Down,
}

impl Direction {
    pub(super) fn opposite(self) -> Direction {
        match self {
            Direction::Up => Direction::Down,
            Direction::Down => Direction::Up,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    /// Connections older than this are cut.
    pub generation: u64,
    pub refuse: bool,
    pub delay: Duration,
    up: Way,
    down: Way,
}

/// The rules of one direction.
#[derive(Clone, Debug, Default)]
pub(super) struct Way {
    pub stalled: bool,
    /// As many bytes are still to be lost.
    pub drop: u64,
}

impl Rules {
    pub(super) fn way(&self, direction: Direction) -> &Way {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }

    pub(super) fn way_mut(&mut self, direction: Direction) -> &mut Way {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }

    /// Back to forwarding. Who was cut stays so.
    pub(super) fn heal(&mut self) {
        *self = Rules { generation: self.generation, ..Rules::default() };
    }
}

/// What has passed.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub accepted: AtomicU64,
    pub open: AtomicU64,
    up: AtomicU64,
    down: AtomicU64,
}

impl Counts {
    fn of(&self, direction: Direction) -> &AtomicU64 {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }

    pub(super) fn add(&self, direction: Direction, bytes: usize) {
        self.of(direction).fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn bytes(&self, direction: Direction) -> u64 {
        self.of(direction).load(Ordering::Relaxed)
    }
}
