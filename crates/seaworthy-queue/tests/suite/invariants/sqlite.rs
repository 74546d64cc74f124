//! On a file, in real time.

use std::time::Duration;

use seaworthy_queue::sqlite::{Sqlite, SqliteStore};

#[cfg(feature = "ledger")]
use crate::ledger_scenarios::short_circuit;
use crate::scenarios::stale::{self, Asleep, Blocked, Manner, Operation, Way};
use crate::scenarios::support::{Counted, SECOND, millis};
use crate::scenarios::{blip, poison, slow, stopped};
use crate::sqlite::{Clock, Directory, opened};

const LEASE: Duration = millis(150);

/// What is asked for arrives late.
struct HeldUp(Counted<Sqlite>);

impl Way for HeldUp {
    const MANNER: Manner = Manner::HeldUp;

    async fn cut(&self) {
        self.0.hold_up(true);
    }

    async fn heal(&self) {
        self.0.hold_up(false);
    }
}

struct Stepped(Clock);

impl Way for Stepped {
    const MANNER: Manner = Manner::Silent;

    async fn pass(&self, lease: Duration) {
        self.0.forward(lease);
    }
}

/// IN-02: whoever comes back when its job is somebody else's is refused, whatever it asks for: after its thread was
/// blocked, after it was cut off with its request under way, and after a step of the machine's clock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stale_owners_are_refused() {
    let directory = Directory::new();
    let (old, new) = (directory.engine().await, directory.engine().await);
    let cut = HeldUp(Counted::new(old.clone()));
    let mut refused = stale::refused(&old, &new, LEASE, &Blocked).await;
    refused += stale::refused(&old, &new, LEASE, &Asleep).await;
    refused += stale::refused(&cut.0, &new, LEASE, &cut).await;
    let (directory, clock) = (Directory::new(), Clock::new());
    let engine = opened(clock.of(directory.builder())).await;
    refused += stale::refused(&engine, &engine, LEASE, &Stepped(clock)).await;
    assert_eq!(refused, 4 * Operation::ALL.len());
}

/// IN-02: the same of a process that was stopped, and goes on when its jobs are somebody else's.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_process_is_refused() {
    let directory = Directory::new();
    let (new, file) = (directory.engine().await, directory.file());
    let holds = "invariants::sqlite::a_process_that_holds";
    let refused = stopped::refused(&new, file.to_str().unwrap(), holds, LEASE).await;
    assert_eq!(refused, Operation::ALL.len());
}

/// IN-02: what `a_stopped_process_is_refused` starts.
#[tokio::test]
#[ignore = "is started by another test"]
async fn a_process_that_holds() {
    let open = async |file: &str| Sqlite::new("numbers", &SqliteStore::open(file).await.unwrap());
    stopped::hold(open, LEASE).await;
}

/// IN-03: a slow job is not taken over, whether it waits or blocks its thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 5)]
async fn slow_jobs_are_kept() {
    let directory = Directory::new();
    let stores = [directory.engine().await, directory.engine().await, directory.engine().await];
    slow::kept(stores, 2 * SECOND, 10 * SECOND).await;
}

/// IN-04: 1, 3 and 5 starts by an error, a panic and a timeout.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn poison_is_dead_after_exactly_n() {
    let directory = Directory::new();
    let store = SqliteStore::open(directory.file()).await.unwrap();
    assert_eq!(poison::dead_after_exactly_n(|name| Sqlite::new(name, &store)).await, 9);
}

/// IN-06: the file is locked by somebody else for 3 s in the middle of a job.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_file_ends_no_job() {
    let directory = Directory::new();
    let engine = directory.engine().await;
    let mut stranger = directory.stranger().await;
    blip::survived(engine, async || {
        sqlx::Executor::execute(&mut stranger, "BEGIN EXCLUSIVE").await.unwrap();
        tokio::time::sleep(3 * SECOND).await;
        sqlx::Executor::execute(&mut stranger, "COMMIT").await.unwrap();
    })
    .await;
}

/// IN-14: each layer that answers for itself, for four seconds.
#[cfg(feature = "ledger")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_circuits() {
    let directory = Directory::new();
    let store = SqliteStore::open(directory.file()).await.unwrap();
    let layers = short_circuit::consistent(|name| Sqlite::new(name, &store), 4 * SECOND, 6).await;
    assert_eq!(layers, short_circuit::Short::ALL.len());
}
