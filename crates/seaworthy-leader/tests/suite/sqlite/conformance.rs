use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use seaworthy::Name;
use seaworthy_leader::StoreError;
use seaworthy_leader::conformance::{self, ElectorSubject, Subject};
use seaworthy_leader::sqlite::{Sqlite, SqliteElector};
use seaworthy_leader::store::{Acquired, Answers, Bid, Candidate, LeaseStore, Renewal, Row, RowTime, Tenure};
use seaworthy_store::random;
use seaworthy_store::sqlite::{SqliteStore, Synchronous};
use seaworthy_store::time::sleep;

use super::{Clock, Directory, opened, store};

/// A file for each store, whose rows' time is stepped.
#[derive(Clone)]
struct InFiles {
    directory: Arc<Directory>,
    clock: Clock,
}

impl InFiles {
    fn new() -> InFiles {
        InFiles { directory: Arc::new(Directory::new()), clock: Clock::new() }
    }

    fn file(&self) -> PathBuf {
        self.directory.file().with_file_name(format!("{:032x}.db", random::unique()))
    }

    async fn pass(&self, span: Duration) {
        self.clock.forward(span);
        // What was given up is carried out, or is not, by the machine's time.
        if span >= Duration::from_millis(100) {
            sleep(span).await;
        }
    }
}

impl Subject for InFiles {
    type Store = Sqlite;

    async fn fresh(&self) -> Sqlite {
        opened(self.clock.of(SqliteStore::builder(self.file()))).await
    }

    async fn pass(&self, span: Duration) {
        InFiles::pass(self, span).await;
    }
}

/// Two engines on one file, each with connections of its own, which are asked in turn.
#[derive(Clone)]
struct InTurn {
    engines: [Sqlite; 2],
    turn: Arc<AtomicUsize>,
}

impl InTurn {
    fn next(&self) -> &Sqlite {
        &self.engines[self.turn.fetch_add(1, Ordering::Relaxed) % 2]
    }
}

impl LeaseStore for InTurn {
    async fn acquire(
        &self,
        candidate: &Candidate<'_>,
        bids: &[Bid],
        begin_by: RowTime,
    ) -> Result<Answers<Acquired>, StoreError> {
        self.next().acquire(candidate, bids, begin_by).await
    }

    async fn renew(
        &self,
        tenures: &[Tenure],
        ttl: Duration,
        begin_by: RowTime,
    ) -> Result<Answers<Renewal>, StoreError> {
        self.next().renew(tenures, ttl, begin_by).await
    }

    async fn release(&self, name: &Name, term: u128) -> Result<(), StoreError> {
        self.next().release(name, term).await
    }

    async fn read(&self, names: &[Name]) -> Result<Answers<Option<Row>>, StoreError> {
        self.next().read(names).await
    }
}

#[derive(Clone)]
struct FromTwoSides(InFiles);

impl Subject for FromTwoSides {
    type Store = InTurn;

    async fn fresh(&self) -> InTurn {
        let file = self.0.file();
        let one = opened(self.0.clock.of(SqliteStore::builder(&file))).await;
        let other = opened(self.0.clock.of(SqliteStore::builder(&file).synchronous(Synchronous::Normal))).await;
        InTurn { engines: [one, other], turn: Arc::default() }
    }

    async fn pass(&self, span: Duration) {
        self.0.pass(span).await;
    }
}

/// Electors of two stores on one file, by the machine's clock.
#[derive(Clone)]
struct Electors(Arc<Directory>);

impl ElectorSubject for Electors {
    type Elector = SqliteElector;

    async fn candidates(&self, number: usize) -> Vec<SqliteElector> {
        let file = self.0.file().with_file_name(format!("{:032x}.db", random::unique()));
        let mut electors = Vec::new();
        for n in 0..number {
            let synchronous = if n % 2 == 0 { Synchronous::Full } else { Synchronous::Normal };
            let store = store(SqliteStore::builder(&file).synchronous(synchronous)).await;
            electors.push(SqliteElector::on(&store).poll(Duration::from_millis(100)).build().expect("as it should be"));
        }
        electors
    }

    async fn pass(&self, span: Duration) {
        sleep(span).await;
    }
}

/// LE-01: leases in a SQLite file pass the suite that every store is held to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_conforms() {
    conformance::run(&InFiles::new()).await;
}

/// LE-01: so they do if two have the file open, each with connections of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_conform() {
    conformance::run(&FromTwoSides(InFiles::new())).await;
}

/// LE-01: their elector passes the suite that every elector is held to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_elector_conforms() {
    conformance::run_elector(&Electors(Arc::new(Directory::new()))).await;
}

/// LE-02: with 16 candidates of 100 names, from two sides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_leader_of_many_names() {
    conformance::one_leader(&FromTwoSides(InFiles::new()), 100).await;
}
