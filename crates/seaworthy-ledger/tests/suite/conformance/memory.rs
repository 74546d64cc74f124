use std::time::Duration;

use seaworthy_ledger::Memory;
use seaworthy_ledger::conformance::{self, Subject};
use seaworthy_store::time::sleep;

/// The memory, where tokio's clock is paused.
#[derive(Clone)]
pub(super) struct InMemory;

impl Subject for InMemory {
    type Store = Memory;

    async fn fresh(&self) -> Memory {
        Memory::default()
    }

    async fn pass(&self, span: Duration) {
        tokio::time::advance(span).await;
    }
}

/// The memory, where time passes by itself: a clock is not paused on several threads.
#[derive(Clone)]
struct InMemoryOfThreads;

impl Subject for InMemoryOfThreads {
    type Store = Memory;

    async fn fresh(&self) -> Memory {
        Memory::default()
    }

    async fn pass(&self, span: Duration) {
        sleep(span).await;
    }
}

/// LG-21: the memory passes the suite that every store is held to.
#[tokio::test(start_paused = true)]
async fn memory_conforms() {
    conformance::run(&InMemory).await;
}

/// IN-07: with real threads, 64 claimers of 200 keys, fresh, stale and failed: 200 winners each time, no fence twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn one_winner_on_threads() {
    for _ in 0..5 {
        conformance::one_winner(&InMemoryOfThreads, 200).await;
        conformance::settled_at_once(&InMemoryOfThreads).await;
    }
}

/// LG-10: 200 of 200 stale owners change nothing, on real threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn stale_owners_on_threads() {
    conformance::stale_owners_change_nothing(&InMemoryOfThreads, 200).await;
}

/// IN-08: 5,000 histories of 40 steps go as the model says.
#[tokio::test(start_paused = true)]
async fn histories() {
    conformance::history(&InMemory, 20_261_130, 5_000).await;
}

/// IN-15: dropped anywhere, nothing is left behind, where answers come from several threads, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_on_threads() {
    conformance::dropped_anywhere(&InMemoryOfThreads).await;
}
