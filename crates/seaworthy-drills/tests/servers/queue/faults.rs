use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use seaworthy::observe::Interest;
use seaworthy::{Event, Observer};
use seaworthy_faults::postgres::Postgres as Server;
use seaworthy_queue::postgres::{PgStore, Postgres, migrate};
use seaworthy_queue::{EnqueueRequest, JobId, Queue};
use tokio::task::{JoinHandle, spawn_blocking};

use super::support::{Begun, Number, Working, millis};

/// Counts them, by job.
struct Settlements(Begun);

impl Observer for Settlements {
    fn on_event(&self, event: &Event<'_>) {
        let Event::Extension(event) = event else { return };
        if event.kind() == "settled" {
            event.fields(&mut |name, value| {
                if name == "id" {
                    self.0.note(&value.to_string());
                }
            });
        }
    }

    fn interest(&self) -> Interest {
        Interest::Calls
    }
}

/// Whose settlements are counted.
async fn queue(url: &str, settled: &Begun) -> Queue<Number, Postgres> {
    let store = PgStore::connect(url).await.unwrap();
    let observer = Settlements(settled.clone());
    Queue::postgres("q", &store).request_timeout(Duration::from_secs(1)).observer(observer).build().unwrap()
}

/// Each accepted job was begun, and settled once at most: if the answer was lost, nobody knows, and it is gone.
fn judge(accepted: &HashSet<String>, begun: &Begun, settled: &Begun) -> u32 {
    let (begun, settled) = (begun.all(), settled.all());
    let lost: Vec<_> = accepted.iter().filter(|id| !begun.contains_key(*id)).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(begun.len(), accepted.len(), "no job that nobody accepted");
    let twice: Vec<_> = settled.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert!(settled.len() * 100 > accepted.len() * 90, "{} of {}", settled.len(), accepted.len());
    begun.values().map(|times| times - 1).sum()
}

/// Enqueues every few milliseconds, until it is told to stop; each under its id until it is answered. What was accepted.
fn producing(queue: Queue<Number, Postgres>, stops: Arc<AtomicBool>) -> JoinHandle<HashSet<String>> {
    tokio::spawn(async move {
        let mut accepted = HashSet::new();
        let mut number = 0;
        while !stops.load(Ordering::Relaxed) {
            let id = format!("j{number}");
            let request = || EnqueueRequest::new(Number(number)).id(JobId::new(&id).unwrap());
            loop {
                match queue.enqueue(request()).await {
                    Ok(_new_or_already) => break,
                    Err(error) => assert!(error.is_unavailable(), "{error}"),
                }
                tokio::time::sleep(millis(20)).await;
            }
            accepted.insert(id);
            number += 1;
            tokio::time::sleep(millis(5)).await;
        }
        accepted
    })
}

/// Until nothing is left, and nothing is dead.
async fn drained(queue: &Queue<Number, Postgres>) {
    let ends = Instant::now() + Duration::from_secs(40);
    loop {
        assert!(Instant::now() < ends, "what is left: {:?}", queue.depth().await);
        let left = queue.depth().await.map(|depth| depth.ready + depth.later + depth.running);
        if matches!(left, Ok(0)) {
            break;
        }
        tokio::time::sleep(millis(100)).await;
    }
    assert_eq!(queue.depth().await.unwrap().dead, 0);
}

/// DR-14: all backends are terminated every second for 10 s under load: no accepted job is lost, and none
/// is settled twice; one is begun a second time only where its settlement was cut off.
#[tokio::test(flavor = "multi_thread")]
async fn backends_are_terminated() {
    let mut server = spawn_blocking(Server::start).await.unwrap();
    let url = server.url();
    migrate(&PgStore::connect(&url).await.unwrap()).await.unwrap();
    let (begun, settled) = (Begun::default(), Begun::default());
    let (ours, theirs) = (queue(&url, &settled).await, queue(&url, &settled).await);
    let working = [Working::on(&theirs, &begun, millis(2)), Working::on(&ours, &begun, millis(2))];
    let stops = Arc::new(AtomicBool::new(false));
    let producing = producing(ours.clone(), stops.clone());
    let mut terminated = 0;
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let (back, ended) = spawn_blocking(move || {
            let ended = server.terminate("true");
            (server, ended)
        })
        .await
        .unwrap();
        server = back;
        terminated += ended;
    }
    stops.store(true, Ordering::Relaxed);
    let accepted = producing.await.unwrap();
    drained(&ours).await;
    drop(working);
    let again = judge(&accepted, &begun, &settled);
    println!("{} jobs, {terminated} backends terminated, {again} begun again", accepted.len());
    assert!(accepted.len() > 300 && terminated >= 20, "{} jobs, {terminated} backends", accepted.len());
    // Five slots of ten that were settling, each time.
    assert!(again < 100, "{again} begun again");
}

/// IN-01, in short: the server is killed with -9 and started again five times under load: each job that it had accepted is
/// done, and none is dead.
#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_killed() {
    let mut server = spawn_blocking(Server::start).await.unwrap();
    let url = server.url();
    migrate(&PgStore::connect(&url).await.unwrap()).await.unwrap();
    let (begun, settled) = (Begun::default(), Begun::default());
    let (ours, theirs) = (queue(&url, &settled).await, queue(&url, &settled).await);
    let working = Working::on(&theirs, &begun, millis(2));
    let stops = Arc::new(AtomicBool::new(false));
    let producing = producing(ours.clone(), stops.clone());
    for _ in 0..5 {
        tokio::time::sleep(millis(1_000)).await;
        server = spawn_blocking(move || {
            server.kill9();
            server.restart();
            server
        })
        .await
        .unwrap();
    }
    tokio::time::sleep(millis(500)).await;
    stops.store(true, Ordering::Relaxed);
    let accepted = producing.await.unwrap();
    drained(&ours).await;
    drop(working);
    let again = judge(&accepted, &begun, &settled);
    println!("{} jobs, {again} begun again", accepted.len());
    assert!(accepted.len() > 100, "{} jobs", accepted.len());
    drop(server);
}
