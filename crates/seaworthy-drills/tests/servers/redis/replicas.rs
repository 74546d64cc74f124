use std::time::Duration;

use seaworthy_faults::redis::{Persistence, Redis as Server};
use seaworthy_queue::redis::{Redis, RedisStore};
use seaworthy_queue::store::{Entry, Producer, Source};
use tokio::task::spawn_blocking;

use super::support::{job, until};

/// QU-71: with `wait_replicas` an enqueuing fails as unknown when fewer have it, also for a job that is there already, and
/// succeeds when they have it.
#[tokio::test(flavor = "multi_thread")]
async fn replicas_are_waited_for() {
    let master = spawn_blocking(|| Server::start(Persistence::EverySec)).await.unwrap();
    let replica = spawn_blocking(|| Server::start(Persistence::EverySec)).await.unwrap();
    let builder = RedisStore::builder(&master.url());
    let store = builder.wait_replicas(1, Duration::from_millis(500)).connect().await.unwrap();
    let queue = Redis::new("q", &store);
    for _ in 0..2 {
        let error = queue.enqueue(&[job("a")], None).await.unwrap_err();
        assert!(error.is_unavailable() && error.to_string().contains("0 replicas"), "{error}");
    }
    assert_eq!(queue.depth().await.unwrap().ready, 1, "it is there");
    let port = master.addr().port().to_string();
    replica.ask(&["REPLICAOF", "127.0.0.1", &port]);
    until("the replica follows", async || queue.enqueue(&[job("a")], None).await.is_ok()).await;
    assert_eq!(queue.enqueue(&[job("a")], None).await.unwrap(), [Entry::Already]);
    assert_eq!(queue.enqueue(&[job("b")], None).await.unwrap(), [Entry::Accepted]);
    assert_eq!(replica.ask(&["XLEN", "q"]).number(), Some(2));
    spawn_blocking(move || drop((master, replica))).await.unwrap();
}
