mod naive;
mod notices;

use std::time::Duration;

use seaworthy_queue::Memory;
use seaworthy_queue::conformance::{self, Subject};

#[derive(Clone)]
struct InMemory;

impl Subject for InMemory {
    type Store = Memory;

    async fn fresh(&self) -> Memory {
        Memory::default()
    }

    async fn pass(&self, span: Duration) {
        tokio::time::advance(span).await;
    }
}

/// QU-90: jobs in memory pass the suite that every store is held to.
#[tokio::test(start_paused = true)]
async fn memory_conforms() {
    conformance::run(&InMemory).await;
}
