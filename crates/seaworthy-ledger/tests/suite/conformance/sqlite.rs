use std::sync::Arc;
use std::time::Duration;

use seaworthy_ledger::conformance::{self, Subject};
use seaworthy_ledger::sqlite::Sqlite;
use seaworthy_store::random;
use seaworthy_store::sqlite::SqliteStore;
use seaworthy_store::time::sleep;

use crate::sqlite::{Clock, Directory, opened};

/// A file for each store, whose rows' time is stepped.
#[derive(Clone)]
struct InFiles {
    directory: Arc<Directory>,
    clock: Clock,
}

impl Subject for InFiles {
    type Store = Sqlite;

    async fn fresh(&self) -> Sqlite {
        let name = format!("{:032x}.db", random::unique());
        let file = self.directory.file().with_file_name(name);
        opened(self.clock.of(SqliteStore::builder(file))).await
    }

    async fn pass(&self, span: Duration) {
        self.clock.forward(span);
        // What was given up is carried out, or is not, by the machine's time.
        if span >= Duration::from_millis(100) {
            sleep(span).await;
        }
    }
}

fn in_files() -> InFiles {
    InFiles { directory: Arc::new(Directory::new()), clock: Clock::new() }
}

/// LG-21: SQLite passes the suite that every store is held to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_conforms() {
    conformance::run(&in_files()).await;
}

/// IN-07: 64 claimers of 200 keys in a file, fresh, stale and failed: 200 winners each time, no fence twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_winner_in_a_file() {
    conformance::one_winner(&in_files(), 200).await;
}

/// IN-08: 200 histories of 40 steps in a file go as the model says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn histories_in_a_file() {
    conformance::history(&in_files(), 20_261_130, 200).await;
}
