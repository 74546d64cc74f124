//! A file for each test, and workers on it.

use std::time::Duration;

use seaworthy_drills::database::Database;
use seaworthy_drills::sqlite::SqliteFile;
use seaworthy_faults::journal::{Journal, Line};
use seaworthy_faults::worker::{Journals, Worker};
use serde_json::Value;

/// A worker's work takes a fraction of this, on a machine that does nothing else.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// A file, and the journals of those who work on it. All of it goes with this value.
pub(crate) struct Space {
    pub(crate) journals: Journals,
    url: String,
}

impl Space {
    /// Synced with each write.
    pub(crate) fn new() -> Space {
        Space::with("")
    }

    /// `options` as the worker's URL has them.
    pub(crate) fn with(options: &str) -> Space {
        let journals = Journals::new();
        let url = format!("sqlite:{}{options}", journals.directory().join("drill.db").display());
        Space { journals, url }
    }

    pub(crate) async fn database(&self) -> SqliteFile {
        let database = SqliteFile::open(&self.url).await;
        database.prepare().await;
        database
    }

    pub(crate) fn worker(&self, name: &str, task: &str, args: &[&str]) -> Worker {
        let mut all = vec![task.to_owned(), format!("--store={}", self.url)];
        all.extend(args.iter().map(|&arg| arg.to_owned()));
        Worker::spawn(env!("CARGO_BIN_EXE_drill-worker"), name, all, &self.journals)
    }

    /// Lets a worker do all that is left, to its end.
    pub(crate) fn finish(&self, args: &[&str]) {
        self.worker("finisher", "work", args).wait_ok(LIMIT);
    }
}

/// The notes of this name by this worker.
pub(crate) fn notes(journal: &Journal, worker: &str, name: &str) -> Vec<Line> {
    journal.of(worker).filter(|line| line.entry.is_note(name)).cloned().collect()
}

/// A number in a note.
pub(crate) fn number(line: &Line, field: &str) -> u64 {
    let value = line.entry.field(field).and_then(Value::as_u64);
    value.unwrap_or_else(|| panic!("{field} of {:?}", line.entry))
}
