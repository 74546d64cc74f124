use seaworthy_drills::jobs::InSqlite;
use seaworthy_faults::worker::Journals;

use crate::crowd::Crowd;
use crate::scenarios::tests_of_jobs;

/// A SQLite file, synced with each write.
fn crowd(args: &[&str]) -> Crowd<InSqlite> {
    let journals = Journals::new();
    let url = format!("sqlite:{}", journals.directory().join("jobs.db").display());
    Crowd::new(journals, url, args, ())
}

tests_of_jobs!(InSqlite, crowd);
