//! A Redis that is away for a moment, in the middle of a job.

use std::time::Duration;

use seaworthy_faults::redis::{Persistence, Redis as Server};
use seaworthy_queue::redis::{Redis, RedisStore};
use tokio::task::spawn_blocking;

use super::support::with;
use crate::scenarios::blip;

/// IN-06: all clients are killed, the server stands still for 3 s, or is killed and started again: a job of 4 s is begun
/// once, comes to its end, and is acked once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_job_ends_by_it() {
    let server = spawn_blocking(|| Server::start(Persistence::Always)).await.unwrap();
    let store = RedisStore::builder(&server.url()).connect().await.unwrap();
    let mut server = Some(server);
    let blips: [fn(&mut Server); 3] = [
        |server| assert!(server.client_kill() >= 2),
        |server| {
            server.stop();
            std::thread::sleep(Duration::from_secs(3));
            server.cont();
        },
        |server| {
            server.kill9();
            server.restart();
        },
    ];
    for (number, blip) in blips.into_iter().enumerate() {
        let taken = server.take().unwrap();
        let mut back = None;
        blip::survived(Redis::new(&format!("q{number}"), &store), async || {
            back = Some(with(taken, blip).await.0);
        })
        .await;
        server = back;
    }
    spawn_blocking(move || drop(server)).await.unwrap();
}
