use std::time::Duration;

use seaworthy_leader::conformance::{self, ElectorSubject, Subject};
use seaworthy_leader::{Local, LocalElector};
use seaworthy_store::time::sleep;

#[derive(Clone)]
struct InMemory;

impl Subject for InMemory {
    type Store = Local;

    async fn fresh(&self) -> Local {
        Local::default()
    }

    async fn pass(&self, span: Duration) {
        tokio::time::advance(span).await;
    }
}

impl ElectorSubject for InMemory {
    type Elector = LocalElector;

    async fn candidates(&self, number: usize) -> Vec<LocalElector> {
        let local = Local::default();
        (0..number).map(|_| LocalElector::on(&local).build().unwrap()).collect()
    }

    async fn pass(&self, span: Duration) {
        sleep(span).await;
    }
}

/// LE-01: leases in memory pass the suite that every store is held to.
#[tokio::test(start_paused = true)]
async fn memory_conforms() {
    conformance::run(&InMemory).await;
}

/// LE-01: their elector passes the one that every elector is held to.
#[tokio::test(start_paused = true)]
async fn its_elector_conforms() {
    conformance::run_elector(&InMemory).await;
}

/// LE-02: with 16 candidates of 200 names on threads of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_leader_on_threads() {
    #[derive(Clone)]
    struct OnThreads;

    impl Subject for OnThreads {
        type Store = Local;

        async fn fresh(&self) -> Local {
            Local::default()
        }

        async fn pass(&self, span: Duration) {
            sleep(span).await;
        }
    }
    conformance::one_leader(&OnThreads, 200).await;
}
