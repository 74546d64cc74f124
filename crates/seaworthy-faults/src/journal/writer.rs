//! The worker's side of a journal.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Entry, Line};
use crate::clock;

/// Appends a line to a journal for each thing that a process does.
///
/// A line is written by one call of the system, so that a process that is killed leaves whole lines, but for the last
/// at most. Nothing is synced: what a killed process wrote, the machine still has.
#[derive(Debug)]
pub struct Writer {
    worker: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    written: u64,
}

impl Writer {
    /// The journal that `Worker::spawn` gave this process, by `--journal=` and `--worker=`.
    ///
    /// # Panics
    ///
    /// If there is none, or it cannot be opened.
    pub fn from_args() -> Writer {
        Writer::find_in_args().expect("a worker is started with --journal=PATH --worker=NAME")
    }

    pub(crate) fn find_in_args() -> Option<Writer> {
        let of = |prefix: &str| std::env::args().skip(1).find_map(|arg| Some(arg.strip_prefix(prefix)?.to_owned()));
        Some(Writer::open(Path::new(&of("--journal=")?), &of("--worker=")?))
    }

    /// The journal in this file, which is made if it is not there.
    ///
    /// # Panics
    ///
    /// If it cannot be opened.
    pub fn open(path: &Path, worker: &str) -> Writer {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.unwrap_or_else(|error| panic!("journal {}: {error}", path.display()));
        Writer { worker: worker.to_owned(), state: Mutex::new(State { file, written: 0 }) }
    }

    /// Writes that this happens now.
    ///
    /// What takes its time is written so that the truth is longer than what is written: its beginning after it has
    /// begun, its end before it ends. Then no judge finds two things at once that were one after the other.
    ///
    /// # Panics
    ///
    /// If it cannot be written: a worker that cannot testify proves nothing.
    pub fn write(&self, entry: Entry) {
        self.write_line(None, entry);
    }

    /// Writes that this happened at a time that was read before.
    pub(crate) fn write_at(&self, at: Duration, entry: Entry) {
        self.write_line(Some(at), entry);
    }

    fn write_line(&self, at: Option<Duration>, entry: Entry) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock, so that lines are in the order of their times.
        let nanos = u64::try_from(at.unwrap_or_else(clock::now).as_nanos()).unwrap_or(u64::MAX);
        let (worker, number) = (self.worker.clone(), state.written);
        let line = Line { nanos, worker, pid: std::process::id(), number, entry };
        let mut text = serde_json::to_vec(&line).expect("a line is plain data");
        text.push(b'\n');
        state.file.write_all(&text).unwrap_or_else(|error| panic!("the journal of {}: {error}", self.worker));
        state.written += 1;
    }
}
