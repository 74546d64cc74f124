//! The invariants of queues in Redis.

use std::time::Duration;

use seaworthy_faults::proxy::Proxy;
use seaworthy_faults::redis::{Persistence, Redis as Server};
use seaworthy_queue::redis::{Redis, RedisStore};
use tokio::task::spawn_blocking;

use super::support::Space;
use crate::ledger_scenarios::short_circuit;
use crate::scenarios::stale::{self, Asleep, Blocked, Manner, Operation, Way};
use crate::scenarios::support::{SECOND, millis};
use crate::scenarios::{closed, poison, slow, stopped};

const LEASE: Duration = millis(300);

async fn connected(url: &str) -> RedisStore {
    RedisStore::builder(url).accept_loss().request_timeout(millis(400)).connect().await.unwrap()
}

/// The holder is cut off from the server, and what it has asked for arrives when it is not any more.
struct Partitioned(Proxy);

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

/// The server's clock cannot be set, so that what it counts from is.
struct Stepped<'s>(&'s Space);

impl Way for Stepped<'_> {
    const MANNER: Manner = Manner::Silent;

    async fn pass(&self, lease: Duration) {
        let stream = self.0.stream();
        let pending = self.0.ask(&["XPENDING", &stream, "seaworthy", "-", "+", "10"]);
        for one in pending.list().unwrap() {
            let [entry, consumer, _, times] = one.list().unwrap() else { panic!("{one:?}") };
            let (idle, times) = (lease.as_millis().to_string(), times.number().unwrap().to_string());
            let (entry, consumer) = (entry.text().unwrap(), consumer.text().unwrap());
            let step =
                ["XCLAIM", &stream, "seaworthy", consumer, "0", entry, "IDLE", &idle, "RETRYCOUNT", &times, "JUSTID"];
            self.0.ask(&step);
        }
    }
}

/// IN-02: whoever comes back when its job is somebody else's is refused, whatever it asks for: after its thread was
/// blocked, after a partition with its request under way, and after a step of the clock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stale_owners_are_refused() {
    let space = Space::new().await;
    let old = Redis::new(&space.stream(), &connected(space.url()).await);
    let server = space.url().trim_start_matches("redis://").trim_end_matches('/').to_owned();
    let partitioned = Partitioned(Proxy::to(&*server));
    let through = connected(&format!("redis://{}/", partitioned.0.addr())).await;
    let cut_off = Redis::new(&space.stream(), &through);
    let mut refused = stale::refused(&old, &space.queue, LEASE, &Blocked).await;
    refused += stale::refused(&old, &space.queue, LEASE, &Asleep).await;
    refused += stale::refused(&cut_off, &space.queue, LEASE, &partitioned).await;
    refused += stale::refused(&old, &space.queue, Duration::from_secs(60), &Stepped(&space)).await;
    assert_eq!(refused, 4 * Operation::ALL.len());
}

/// IN-02: the same of a process that was stopped, and goes on when its jobs are somebody else's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_process_is_refused() {
    let space = Space::new().await;
    let place = format!("{} {}", space.url(), space.stream());
    let holds = "redis::invariants::a_process_that_holds";
    assert_eq!(stopped::refused(&space.queue, &place, holds, LEASE).await, Operation::ALL.len());
}

/// IN-02: what `a_stopped_process_is_refused` starts.
#[tokio::test]
#[ignore = "is started by another test"]
async fn a_process_that_holds() {
    let open = async |place: &str| {
        let (url, stream) = place.split_once(' ').unwrap();
        Redis::new(stream, &connected(url).await)
    };
    stopped::hold(open, LEASE).await;
}

/// IN-03: a slow job is not taken over, whether it waits or blocks its thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 5)]
async fn slow_jobs_are_kept() {
    let space = Space::new().await;
    let other = async || Redis::new(&space.stream(), &connected(space.url()).await);
    slow::kept([space.queue.clone(), other().await, other().await], millis(1_500), 6 * SECOND).await;
}

/// A server of a test's own, which goes with it.
async fn own() -> (Server, RedisStore) {
    let server = spawn_blocking(|| Server::start(Persistence::None)).await.unwrap();
    let store = RedisStore::builder(&server.url()).accept_loss().connect().await.unwrap();
    (server, store)
}

async fn ended(server: Server) {
    spawn_blocking(move || drop(server)).await.unwrap();
}

/// How often the server was asked for jobs, by itself or in a script: new ones, or such as were abandoned.
fn fetches(server: &Server) -> u64 {
    let info = server.ask(&["INFO", "commandstats"]);
    let fetches =
        |line: &&str| ["xreadgroup", "xclaim", "xautoclaim", "xpending"].iter().any(|name| line.contains(name));
    let calls = |line: &str| line.split_once("calls=")?.1.split(',').next()?.parse::<u64>().ok();
    info.text().unwrap().lines().filter(fetches).filter_map(calls).sum()
}

/// IN-05: for a service that never becomes ready, and while a circuit is open, the server is asked for no
/// job; then one is fetched, until the circuit is closed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_fetched_before_the_stack_is_ready() {
    let (server, store) = own().await;
    closed::never_ready(Redis::new("never", &store), 2 * SECOND, || fetches(&server)).await;
    closed::open(Redis::new("open", &store), 2 * SECOND, || fetches(&server)).await;
    assert!(fetches(&server) > 0);
    ended(server).await;
}

/// IN-04: 1, 3 and 5 starts by an error, a panic and a timeout.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn poison_is_dead_after_exactly_n() {
    let (server, store) = own().await;
    assert_eq!(poison::dead_after_exactly_n(|name| Redis::new(&name, &store)).await, 9);
    ended(server).await;
}

/// IN-14: each layer that answers for itself, for four seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_circuits() {
    let (server, store) = own().await;
    let layers = short_circuit::consistent(|name| Redis::new(&name, &store), 4 * SECOND, 6).await;
    assert_eq!(layers, short_circuit::Short::ALL.len());
    ended(server).await;
}
