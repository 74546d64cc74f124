use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use seaworthy_queue::conformance::{self, Subject};
use seaworthy_queue::sqlite::{Sqlite, SqliteStore, Synchronous};
use seaworthy_queue::store::{
    Cancelled, DeadJob, DeadLetters, Depth, Entry, Held, Holder, NewJob, Producer, Received, Settlement, Source, Take,
};
use seaworthy_queue::{JobId, StoreError};
use seaworthy_store::random;
use seaworthy_store::time::sleep;

use super::{Directory, opened};

/// A file for each store.
#[derive(Clone)]
struct InFiles(Arc<Directory>);

impl InFiles {
    fn new() -> InFiles {
        InFiles(Arc::new(Directory::new()))
    }
}

impl Subject for InFiles {
    type Store = Sqlite;

    async fn fresh(&self) -> Sqlite {
        let name = format!("{:032x}.db", random::unique());
        opened(SqliteStore::builder(self.0.file().with_file_name(name))).await
    }

    async fn pass(&self, span: Duration) {
        sleep(span).await;
    }
}

/// QU-90: SQLite passes the suite that every store is held to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_conforms() {
    conformance::run(&InFiles::new()).await;
}

/// Two engines with a writing connection each, as two processes have them; one after the other is asked.
#[derive(Clone)]
struct Pair {
    both: [Sqlite; 2],
    turn: Arc<AtomicUsize>,
}

impl Pair {
    fn next(&self) -> &Sqlite {
        &self.both[self.turn.fetch_add(1, Ordering::Relaxed) % 2]
    }
}

impl Producer for Pair {
    async fn enqueue(&self, jobs: &[NewJob], max_len: Option<u64>) -> Result<Vec<Entry>, StoreError> {
        self.next().enqueue(jobs, max_len).await
    }

    async fn cancel(&self, id: &JobId) -> Result<Cancelled, StoreError> {
        self.next().cancel(id).await
    }
}

impl Source for Pair {
    async fn receive(&self, take: &Take, block: Duration) -> Result<Received, StoreError> {
        self.next().receive(take, block).await
    }

    async fn extend(&self, holders: &[Holder], visibility: Duration) -> Result<Vec<Held>, StoreError> {
        self.next().extend(holders, visibility).await
    }

    async fn settle(&self, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
        self.next().settle(holder, settlement).await
    }

    async fn depth(&self) -> Result<Depth, StoreError> {
        self.next().depth().await
    }
}

impl DeadLetters for Pair {
    async fn list(&self, after: Option<&JobId>, most: u32) -> Result<Vec<DeadJob>, StoreError> {
        self.next().list(after, most).await
    }

    async fn get(&self, id: &JobId) -> Result<Option<DeadJob>, StoreError> {
        self.next().get(id).await
    }

    async fn redrive(&self, id: &JobId) -> Result<bool, StoreError> {
        self.next().redrive(id).await
    }

    async fn discard(&self, id: &JobId) -> Result<bool, StoreError> {
        self.next().discard(id).await
    }

    async fn sweep(&self, keep: Option<Duration>, most: Option<u64>) -> Result<u64, StoreError> {
        self.next().sweep(keep, most).await
    }
}

#[derive(Clone)]
struct InPairs(InFiles);

impl Subject for InPairs {
    type Store = Pair;

    async fn fresh(&self) -> Pair {
        let file = self.0.0.file().with_file_name(format!("{:032x}.db", random::unique()));
        let builder = || SqliteStore::builder(&file).synchronous(Synchronous::Normal);
        // Handles with other settings have a writer of their own, as another process has.
        let both = [opened(builder()).await, opened(builder().max_size(1 << 30)).await];
        Pair { both, turn: Arc::default() }
    }

    async fn pass(&self, span: Duration) {
        sleep(span).await;
    }
}

/// QU-90, QU-51: two who write to one file, as two processes do, are one queue that passes the suite.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_on_one_file_conform() {
    conformance::run(&InPairs(InFiles::new())).await;
}
