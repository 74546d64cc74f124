use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use seaworthy::Shutdown;
use seaworthy_faults::proxy::Proxy;
use seaworthy_faults::redis::{Persistence, Redis as Server};
use seaworthy_queue::redis::{Redis, RedisStore};
use seaworthy_queue::store::{Held, Producer, Source, Take};
use seaworthy_queue::{Consumer, Delivery, ErrorClass, Job, Queue};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;
use tower::service_fn;

use super::support::{ACK, Space, accept, all, job, one, pass, take, until, with};

async fn durable() -> Server {
    spawn_blocking(|| Server::start(Persistence::Always)).await.unwrap()
}

/// QU-72: a server that has forgotten the scripts is told them again.
#[tokio::test]
async fn scripts_are_loaded_again() {
    let server = durable().await;
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let queue = Redis::new("q", &store);
    for number in 0..3 {
        server.ask(&["SCRIPT", "FLUSH"]);
        accept(&queue, &[job(&format!("{number}"))]).await;
        let (_, held) = one(&queue, &take(1)).await;
        server.ask(&["SCRIPT", "FLUSH"]);
        assert_eq!(queue.settle(&held, &ACK).await.unwrap(), Held::Yes);
    }
    spawn_blocking(move || drop(server)).await.unwrap();
}

/// QU-72: a server that has become a replica is unavailable, and is connected to anew.
#[tokio::test]
async fn a_replica_is_unavailable() {
    let server = durable().await;
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let queue = Redis::new("q", &store);
    accept(&queue, &[job("a")]).await;
    let port = server.addr().port().to_string();
    // Of nobody: there is no other server.
    server.ask(&["REPLICAOF", "127.0.0.1", "1"]);
    let error = queue.enqueue(&[job("b")], None).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Unavailable, "{error} {port}");
    assert!(error.to_string().contains("READONLY") || error.to_string().contains("read only"), "{error}");
    let before = server.ask(&["INFO", "stats"]);
    server.ask(&["REPLICAOF", "NO", "ONE"]);
    accept(&queue, &[job("b")]).await;
    let connections = |info: &seaworthy_faults::redis::Reply| -> u64 {
        let text = info.text().unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("total_connections_received:")).unwrap();
        line.trim().parse().unwrap()
    };
    // One is of the question, one of REPLICAOF, one is ours.
    assert_eq!(connections(&server.ask(&["INFO", "stats"])) - connections(&before), 3);
    spawn_blocking(move || drop(server)).await.unwrap();
}

/// CO-13: while the server answers nothing each call ends at its limit, later ones too; when it does, the next is served.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs() {
    const LIMIT: Duration = Duration::from_millis(400);
    let space = Space::new().await;
    let server = space.url().trim_start_matches("redis://").trim_end_matches('/').to_owned();
    let proxy = Proxy::to(&*server);
    let url = format!("redis://{}/", proxy.addr());
    let store = RedisStore::builder(&url).accept_loss().request_timeout(LIMIT).connect().await.unwrap();
    let queue = Redis::new(&space.stream(), &store);
    accept(&queue, &[job("a")]).await;
    proxy.stall();
    for _ in 0..2 {
        let mut calls = JoinSet::new();
        for _ in 0..8 {
            let queue = queue.clone();
            calls.spawn(async move {
                let began = Instant::now();
                (queue.depth().await, began.elapsed())
            });
        }
        for (answer, took) in calls.join_all().await {
            assert_eq!(answer.unwrap_err().class(), ErrorClass::Unavailable);
            assert!(took < LIMIT * 2, "{took:?}");
        }
    }
    proxy.heal();
    let began = Instant::now();
    queue.depth().await.unwrap();
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
    // Callers with less patience than the driver have the connection replaced, too.
    proxy.stall();
    let before = proxy.connections();
    for _ in 0..4 {
        assert!(timeout(LIMIT / 4, queue.depth()).await.is_err());
    }
    assert!(proxy.connections() > before);
    proxy.heal();
    queue.depth().await.unwrap();
    // Cut, a call fails, and the next is served.
    proxy.cut();
    let _one_may_fail = queue.depth().await;
    queue.depth().await.unwrap();
    proxy.refuse();
    proxy.cut();
    let _the_one_that_was_cut = queue.depth().await;
    let began = Instant::now();
    assert!(queue.depth().await.unwrap_err().is_unavailable());
    assert!(began.elapsed() < LIMIT / 2, "refused is said at once");
    proxy.heal();
    assert_eq!(queue.depth().await.unwrap().ready, 1);
}

/// IN-06: killed and restarted, the server knows whose each delivery is, and how often it was one.
#[tokio::test(flavor = "multi_thread")]
async fn deliveries_outlive_the_server() {
    let mut server = durable().await;
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let queue = Redis::new("q", &store);
    accept(&queue, &[job("a"), job("b")]).await;
    let (_, kept) = one(&queue, &take(1)).await;
    let brief = Duration::from_millis(50);
    one(&queue, &Take { visibility: brief, ..take(1) }).await;
    server = with(server, |server| {
        server.kill9();
        server.restart();
    })
    .await
    .0;
    until("it is there", async || queue.depth().await.is_ok()).await;
    assert_eq!(queue.extend(std::slice::from_ref(&kept), Duration::from_secs(60)).await.unwrap(), [Held::Yes]);
    // A restart can be as quick as that.
    pass(brief).await;
    let (again, held) = one(&queue, &take(1)).await;
    assert_eq!((again.id.as_str(), again.attempt, again.fence, again.abandoned), ("b", 2, 2, 1));
    for held in [&kept, &held] {
        assert_eq!(queue.settle(held, &ACK).await.unwrap(), Held::Yes);
    }
    spawn_blocking(move || drop(server)).await.unwrap();
}

/// QU-72: a server that was restarted costs one error, whether a request finds that out or whoever waits for jobs.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_costs_one_error() {
    let mut server = durable().await;
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let queue = Redis::new("q", &store);
    let brief = Duration::from_millis(20);
    let restart = async |server: Server| {
        let restarted = |server: &mut Server| {
            server.kill9();
            server.restart();
        };
        with(server, restarted).await.0
    };
    // Now there is a connection for waiting, which nobody uses.
    queue.receive(&take(1), brief).await.unwrap();
    server = restart(server).await;
    assert!(queue.depth().await.unwrap_err().is_unavailable());
    assert!(queue.receive(&take(1), brief).await.unwrap().jobs.is_empty());
    // And now somebody waits.
    let waiting = tokio::spawn({
        let queue = queue.clone();
        async move { queue.receive(&take(1), Duration::from_secs(9)).await.map(|received| received.jobs.len()) }
    });
    until("it waits", async || {
        server.ask(&["INFO", "clients"]).text().is_some_and(|text| text.contains("blocked_clients:1"))
    })
    .await;
    server = restart(server).await;
    assert!(waiting.await.unwrap().unwrap_err().is_unavailable());
    queue.depth().await.unwrap();
    spawn_blocking(move || drop(server)).await.unwrap();
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Number(u64);

impl Job for Number {
    const KIND: &str = "number";
}

/// QU-72, QU-16: killed and restarted, the server has a consumer back within 5 s, which has ended for nothing of it; and
/// so has one whose connections were all killed.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_ends_no_consumer() {
    let mut server = durable().await;
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let queue: Queue<Number, _> = Queue::redis("numbers", &store).build().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let service = service_fn(move |delivery: Delivery<Number>| {
        log.lock().unwrap().push(delivery.job().0);
        async { Ok::<_, seaworthy::BoxError>(()) }
    });
    let (stop, stopped) = Shutdown::new();
    let running = tokio::spawn(Consumer::new(queue.clone()).service(service).run(stopped));
    queue.enqueue(Number(1)).await.unwrap();
    until("it is done", async || seen.lock().unwrap().len() == 1).await;
    server = with(server, |server| {
        server.kill9();
        std::thread::park_timeout(Duration::from_secs(1));
        server.restart();
    })
    .await
    .0;
    let back = Instant::now();
    until("a job is accepted", async || queue.enqueue(Number(2)).await.is_ok()).await;
    until("it is done", async || seen.lock().unwrap().contains(&2)).await;
    assert!(back.elapsed() < Duration::from_secs(5), "{:?}", back.elapsed());
    let (server, killed) = with(server, Server::client_kill).await;
    assert!(killed >= 2, "{killed}");
    let cut = Instant::now();
    until("a job is accepted", async || queue.enqueue(Number(3)).await.is_ok()).await;
    until("it is done", async || seen.lock().unwrap().contains(&3)).await;
    assert!(cut.elapsed() < Duration::from_secs(5), "{:?}", cut.elapsed());
    stop.fire();
    running.await.unwrap().unwrap();
    assert!(all(queue.store(), &take(9)).await.is_empty());
    spawn_blocking(move || drop(server)).await.unwrap();
}
