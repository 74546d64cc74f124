//! What must hold of a database, whichever it is, when processes race in it, die and stop. Each binary of tests has these
//! for the databases that it is about, by the macro below.

pub(crate) mod crash;
pub(crate) mod effectively_once;
pub(crate) mod many;

use std::time::Duration;

use seaworthy_drills::database::Database;
use seaworthy_faults::journal::{Journal, Line};
use seaworthy_faults::worker::{Journals, Worker};
use serde_json::Value;

/// A worker's work takes a fraction of this, on a machine that does nothing else.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// A database of a test's own, and the journals of those who work in it. All of it goes with this value.
pub(crate) trait Place: Send + Sync {
    type Database: Database;

    fn new() -> Self;

    fn journals(&self) -> &Journals;

    fn url(&self) -> String;

    /// With its tables.
    async fn database(&self) -> Self::Database {
        let database = Self::Database::open(&self.url()).await;
        database.prepare().await;
        database
    }

    fn worker(&self, name: &str, task: &str, args: &[&str]) -> Worker {
        let mut all = vec![task.to_owned(), format!("--store={}", self.url())];
        all.extend(args.iter().map(|&arg| arg.to_owned()));
        Worker::spawn(env!("CARGO_BIN_EXE_drill-worker"), name, all, self.journals())
    }

    /// Lets a worker do all that is left, to its end.
    fn finish(&self, args: &[&str]) {
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

/// All of these tests, for one kind of place.
macro_rules! tests_of_processes {
    ($place:ty) => {
        use crate::processes::{crash, effectively_once, many};

        #[test]
        fn before_the_claim() {
            crash::before_the_claim::<$place>();
        }

        #[test]
        fn after_the_grant() {
            crash::after_the_grant::<$place>();
        }

        #[test]
        fn after_the_side_effect() {
            crash::after_the_side_effect::<$place>();
        }

        #[test]
        fn after_the_completion() {
            crash::after_the_completion::<$place>();
        }

        #[test]
        fn stopped_for_longer_than_the_lease() {
            crash::stopped_for_longer_than_the_lease::<$place>();
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn once_at_each_named_point() {
            effectively_once::at_each_named_point::<$place>().await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn once_at_random_instants() {
            effectively_once::at_random_instants::<$place>().await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn one_winner_for_each_key_and_fence() {
            many::one_winner_for_each_key_and_fence::<$place>().await;
        }
    };
}
pub(crate) use tests_of_processes;
