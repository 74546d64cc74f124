//! The invariants of queues in Postgres.

use std::time::Duration;

use seaworthy_faults::proxy::Proxy;
use seaworthy_queue::postgres::Postgres;
use seaworthy_store::postgres::PgStore;
use tokio::sync::Mutex;

use super::support::{Session, Space, millis};
use crate::ledger_scenarios::{busy, short_circuit};
use crate::scenarios::stale::{self, Asleep, Blocked, Manner, Operation, Way};
use crate::scenarios::support::SECOND;
use crate::scenarios::{poison, rolling, slow, stopped};

const LEASE: Duration = millis(300);

/// The holder is cut off from the server, and what it has asked for arrives when it is not any more.
struct Partitioned(Proxy);

impl Partitioned {
    async fn of(space: &Space) -> (Partitioned, Postgres) {
        let url = space.url();
        let server = url.split_once('@').and_then(|(_, rest)| rest.split_once('/')).unwrap().0.to_owned();
        let proxy = Proxy::to(&*server);
        let url = url.replace(&server, &proxy.addr().to_string());
        let store = PgStore::builder(&url).request_timeout(millis(400)).lock_timeout(millis(200)).connections(1);
        let jobs = Postgres::new("q", &store.connect().await.unwrap());
        (Partitioned(proxy), jobs)
    }
}

impl Way for Partitioned {
    const MANNER: Manner = Manner::HeldUp;

    async fn cut(&self) {
        self.0.stall();
    }

    async fn heal(&self) {
        self.0.heal();
        tokio::time::sleep(millis(100)).await;
    }
}

/// The server's clock cannot be set, so that what is written by it is.
struct Stepped(Mutex<Session>);

impl Way for Stepped {
    const MANNER: Manner = Manner::Silent;

    async fn pass(&self, lease: Duration) {
        let earlier = format!("lease_until = lease_until - interval '{} ms'", lease.as_millis());
        let step = format!("UPDATE seaworthy_job SET {earlier} WHERE state = 1");
        self.0.lock().await.run(&step).await;
    }
}

/// IN-02: whoever comes back when its job is somebody else's is refused, whatever it asks for: after its thread was
/// blocked, after a partition with its request under way, and after a step of the clock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stale_owners_are_refused() {
    let space = Space::of_jobs().await;
    let (old, new) = (space.jobs().await, space.jobs().await);
    let (partitioned, cut_off) = Partitioned::of(&space).await;
    let mut refused = stale::refused(&old, &new, LEASE, &Blocked).await;
    refused += stale::refused(&old, &new, LEASE, &Asleep).await;
    refused += stale::refused(&cut_off, &new, LEASE, &partitioned).await;
    let stepped = Stepped(Mutex::new(space.session().await));
    refused += stale::refused(&old, &new, Duration::from_secs(60), &stepped).await;
    assert_eq!(refused, 4 * Operation::ALL.len());
}

/// IN-02: the same of a process that was stopped, and goes on when its jobs are somebody else's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_process_is_refused() {
    let space = Space::of_jobs().await;
    let new = space.jobs().await;
    let holds = "queue::invariants::a_process_that_holds";
    assert_eq!(stopped::refused(&new, &space.url(), holds, LEASE).await, Operation::ALL.len());
}

/// IN-02: what `a_stopped_process_is_refused` starts.
#[tokio::test]
#[ignore = "is started by another test"]
async fn a_process_that_holds() {
    let open = async |url: &str| Postgres::new("q", &PgStore::connect(url).await.unwrap());
    stopped::hold(open, LEASE).await;
}

/// IN-03: a slow job is not taken over, whether it waits or blocks its thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 5)]
async fn slow_jobs_are_kept() {
    let space = Space::of_jobs().await;
    let stores = [space.jobs().await, space.jobs().await, space.jobs().await];
    slow::kept(stores, millis(1_500), 6 * SECOND).await;
}

/// IN-04: 1, 3 and 5 starts by an error, a panic and a timeout.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn poison_is_dead_after_exactly_n() {
    let space = Space::of_jobs().await;
    let store = space.store().await;
    assert_eq!(poison::dead_after_exactly_n(|name| Postgres::new(name, &store)).await, 9);
}

/// IN-10: ten jobs on a key that somebody else has for four seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn busy_spends_nothing() {
    let space = Space::of_jobs().await;
    busy::put_off(space.jobs().await, 2 * SECOND, 4 * SECOND).await;
}

/// IN-14: each layer that answers for itself, for four seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_circuits() {
    let space = Space::of_jobs().await;
    let store = space.builder().connections(8).connect().await.unwrap();
    let layers = short_circuit::consistent(|name| Postgres::new(name, &store), 4 * SECOND, 6).await;
    assert_eq!(layers, short_circuit::Short::ALL.len());
}

/// IN-20: 200 jobs of each of two versions, with workers of both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_deployment() {
    let space = Space::of_jobs().await;
    let session = Mutex::new(space.session().await);
    let step = "UPDATE seaworthy_job SET due = due - interval '30 s', deferred_since = deferred_since - interval '30 s'
        WHERE state = 0 AND due > now()";
    rolling::deployed(space.jobs().await, async || session.lock().await.run(step).await).await;
}
