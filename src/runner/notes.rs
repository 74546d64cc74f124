use std::sync::Arc;

use crate::name::Name;
use crate::rt::sync::{AtomicU64, Ordering};

/// What is known about a task.
#[derive(Clone)]
pub(super) struct Notes {
    pub(super) name: Name,
    pub(super) essential: bool,
    counts: Arc<RunCounts>,
}

#[derive(Debug, Default)]
struct RunCounts {
    runs: AtomicU64,
    failures: AtomicU64,
    panics: AtomicU64,
}

impl Notes {
    pub(super) fn new(name: Name, essential: bool) -> Notes {
        Notes { name, essential, counts: Arc::default() }
    }

    pub(super) fn began_run(&self) {
        self.counts.runs.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self, has_panicked: bool) {
        self.counts.failures.fetch_add(1, Ordering::Relaxed);
        self.counts.panics.fetch_add(u64::from(has_panicked), Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> TaskSnapshot {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        TaskSnapshot {
            name: self.name.clone(),
            runs: read(&self.counts.runs),
            failures: read(&self.counts.failures),
            panics: read(&self.counts.panics),
        }
    }
}

/// The state of a task at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskSnapshot {
    /// Its name.
    pub name: Name,
    /// How many runs were begun.
    pub runs: u64,
    /// How many of its runs failed, panics included.
    pub failures: u64,
    /// How many of its runs panicked.
    pub panics: u64,
}
