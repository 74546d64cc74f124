//! What the workers have said.

use std::collections::HashMap;
use std::io::BufRead;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// By the job's id.
#[derive(Default)]
pub struct Said {
    pub starts: HashMap<String, u32>,
    pub done: HashMap<String, u32>,
}

#[derive(Clone, Default)]
pub struct Tally(Arc<Mutex<Said>>);

impl Tally {
    pub fn said(&self) -> MutexGuard<'_, Said> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until the worker has ended.
    pub fn hear(&self, worker: impl BufRead) {
        for line in worker.lines() {
            let Ok(line) = line else { return };
            let mut said = self.said();
            let (what, id) = match line.split_once(' ') {
                Some(("start", id)) => (&mut said.starts, id),
                Some(("done", id)) => (&mut said.done, id),
                _ => continue,
            };
            *what.entry(id.to_owned()).or_default() += 1;
        }
    }
}
