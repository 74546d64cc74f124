//! The layer and the handle over a Postgres: what is done once, what does not spin, what is left of many reconnections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use seaworthy::{BoxError, ConfigError};
use seaworthy_faults::postgres::Postgres as Server;
use seaworthy_ledger::postgres::{Postgres, migrate};
use seaworthy_ledger::{Claimed, Held, IdempotencyError, IdempotencyLayer, Key, Ledger};
use seaworthy_store::postgres::PgStore;
use seaworthy_store::time::{now, sleep};
use tokio::task::JoinSet;
use tower::util::BoxCloneService;
use tower::{Layer, ServiceExt, service_fn};

use super::support::{Space, key};

fn job_key(_: &u64) -> Result<Key, ConfigError> {
    Ok(key("a"))
}

async fn store(url: &str) -> PgStore {
    let store = PgStore::connect(url).await.expect("a server of our own");
    migrate(&store).await.expect("an empty schema");
    store
}

async fn service(url: &str, calls: &Arc<AtomicU64>) -> BoxCloneService<u64, String, BoxError> {
    let ledger = Ledger::postgres("tests", &store(url).await).build().expect("the defaults");
    let calls = Arc::clone(calls);
    let inner = service_fn(move |_: u64| {
        let call = calls.fetch_add(1, Ordering::Relaxed) + 1;
        async move {
            sleep(Duration::from_millis(50)).await;
            Ok::<_, BoxError>(format!("answer {call}"))
        }
    });
    BoxCloneService::new(IdempotencyLayer::new(ledger, job_key).layer(inner))
}

/// IN-09: of 100 redeliveries to five ledgers on one Postgres, at once, the handler sees one: the others are busy, or
/// have its answer; and 100 more, one after the other, all have it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_09_once() {
    let (schema, calls) = (Space::empty().await, Arc::new(AtomicU64::new(0)));
    let mut services = Vec::new();
    for _ in 0..5 {
        services.push(service(&schema.url(), &calls).await);
    }
    let mut at_once = JoinSet::new();
    for number in 0..100 {
        at_once.spawn(services[number as usize % 5].clone().oneshot(number));
    }
    for outcome in at_once.join_all().await {
        match outcome {
            Ok(answer) => assert_eq!(answer, "answer 1"),
            Err(error) => assert!(matches!(error.downcast_ref(), Some(IdempotencyError::Busy { .. })), "{error:?}"),
        }
    }
    for number in 0..100 {
        let answer = services[number as usize % 5].clone().oneshot(number).await;
        assert_eq!(answer.expect("it was done"), "answer 1");
    }
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

/// IN-10: ten others who wait for a key that is held for three seconds, each for as long as it is told to, ask a few
/// times each, and the key was granted to none but its holder before that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_10_no_spin() {
    let schema = Space::empty().await;
    let short = Duration::from_secs(1);
    let build = async || {
        let builder = Ledger::postgres("tests", &store(&schema.url()).await).lease(short);
        builder.request_timeout(Duration::from_millis(300)).build().expect("settings that fit")
    };
    let holder = build().await;
    let Claimed::Mine(mut claim) = holder.claim(&key("a")).await.expect("the first") else { panic!("not granted") };
    let lost = claim.hold();
    let (asked, begun) = (Arc::new(AtomicU64::new(0)), now());
    let mut others = JoinSet::new();
    let other = build().await;
    for _ in 0..20 {
        // One handle for each would be one more store; the memory of a handle answers for its own claims only.
        let (ledger, asked) = (other.clone(), Arc::clone(&asked));
        others.spawn(async move {
            loop {
                asked.fetch_add(1, Ordering::Relaxed);
                match ledger.claim(&key("a")).await {
                    Ok(Claimed::Busy { retry_in }) => sleep(retry_in).await,
                    Ok(Claimed::Done(record)) => return record.fence,
                    other => panic!("{other:?}"),
                }
            }
        });
    }
    sleep(Duration::from_secs(3)).await;
    assert!(!lost.is_requested());
    assert!(claim.complete("done").await.expect("a store that is up").is_yes());
    assert!(others.join_all().await.into_iter().all(|fence| fence == 1));
    // The lease that is left is at most 1 s and at least two thirds of it; a handle that is asking already says 50 ms.
    let most = 10 * (begun.elapsed().as_millis() as u64 / 50 + 1);
    assert!(asked.load(Ordering::Relaxed) <= most, "{asked:?} of {most}");
}

/// How many sockets there are that some process has open to this port of this machine.
fn open_sockets(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux");
    let lines = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines.filter(|fields| fields[2].ends_with(&format!(":{port:04X}")) && fields[9] != "0").count()
}

/// Claims a key and completes it, although connections end.
async fn done(ledger: Ledger<Postgres>, n: usize) {
    // Each of ten connections may have been ended.
    for _ in 0..20 {
        match ledger.claim(&key(&n.to_string())).await {
            Ok(Claimed::Mine(claim)) => return assert!(claim.complete("x").await.is_ok_and(Held::is_yes)),
            Ok(other) => panic!("{other:?}"),
            Err(error) => assert!(error.is_unavailable(), "{error}"),
        }
    }
    panic!("twenty tries were not enough");
}

/// IN-18: a thousand times its connections are ended by the server; after that the store works, and has no more
/// connections, tasks and open files than before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_18_reconnections() {
    let mut server = tokio::task::spawn_blocking(Server::start).await.expect("Postgres");
    let store = PgStore::builder(&server.url()).connections(10).connect().await.expect("a server of our own");
    migrate(&store).await.expect("an empty database");
    let ledger = Ledger::postgres("tests", &store).build().expect("the defaults");
    let port = server.addr().port();
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    println!("{} bytes for a claim", size_of_val(&ledger.claim(&key("size"))));
    // Each on a connection of its own.
    let ten = async |n: usize| {
        let claims: JoinSet<()> = (10 * n..10 * (n + 1)).map(|n| done(ledger.clone(), n)).collect();
        claims.join_all().await;
    };
    ten(0).await;
    let tasks_before = tasks();
    let (mut n, mut ended) = (0, 0);
    while ended < 1_000 {
        n += 1;
        ten(n).await;
        ended += tokio::task::block_in_place(|| server.terminate("true"));
    }
    ten(n + 1).await;
    ledger.close().await;
    sleep(Duration::from_millis(200)).await;
    // Other tests have files of their own, so that only what goes to this server is counted.
    assert!(open_sockets(port) <= 10, "{} open sockets", open_sockets(port));
    assert!(tasks() <= tasks_before + 2, "{} tasks, {tasks_before} before", tasks());
    assert!(tokio::task::block_in_place(|| server.backends("true").len()) <= 10);
}
