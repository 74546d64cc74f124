use seaworthy_drills::sqlite::SqliteFile;
use seaworthy_faults::worker::Journals;

use crate::processes::{Place, tests_of_processes};

/// A SQLite file, synced with each write.
pub(crate) struct InFile(Journals);

impl Place for InFile {
    type Database = SqliteFile;

    fn new() -> InFile {
        InFile(Journals::new())
    }

    fn journals(&self) -> &Journals {
        &self.0
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.0.directory().join("drill.db").display())
    }
}

tests_of_processes!(InFile);
