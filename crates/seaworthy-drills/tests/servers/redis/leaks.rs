//! Many jobs in Redis, and many connections that the server ends.

use seaworthy_faults::redis::{Persistence, Prefix, Redis as Server};
use seaworthy_queue::redis::{Redis, RedisStore};
use tokio::task::spawn_blocking;

use crate::scenarios::leaks;

/// IN-18: 2,000 jobs and 500 connections that the server ends, in a process of their own: connections, tasks, file
/// descriptors and memory are as at the start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaks() {
    let server = spawn_blocking(|| Server::start(Persistence::None)).await.unwrap();
    leaks::in_a_process(server.url(), "redis::leaks::a_process_with_many_jobs").await;
    spawn_blocking(move || drop(server)).await.unwrap();
}

/// IN-18: what `nothing_leaks` starts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "is started by another test"]
async fn a_process_with_many_jobs() {
    let server = Prefix::on(leaks::place());
    let store = RedisStore::builder(server.url()).accept_loss().connect().await.unwrap();
    let end_all = async || {
        let ended = server.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        u64::try_from(ended.number().unwrap()).unwrap()
    };
    let connections = async || {
        let clients = server.ask(&["INFO", "clients"]);
        let line = clients.text().unwrap().lines().find_map(|line| line.strip_prefix("connected_clients:"));
        line.unwrap().trim().parse().unwrap()
    };
    leaks::none(Redis::new("q", &store), (2_000, 500), end_all, connections).await;
}
