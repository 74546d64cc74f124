//! A Postgres that is away for a moment, in the middle of a job.

use std::time::Duration;

use seaworthy_faults::postgres::Postgres as Server;
use seaworthy_queue::postgres::{PgStore, Postgres, migrate};
use tokio::task::spawn_blocking;

use crate::scenarios::blip;

/// IN-06: all connections are ended, the server stands still for 3 s, or is killed and started again: a job of 4 s is begun
/// once, comes to its end, and is acked once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_job_ends_by_it() {
    let server = spawn_blocking(Server::start).await.unwrap();
    let store = PgStore::connect(&server.url()).await.unwrap();
    migrate(&store).await.unwrap();
    let mut server = Some(server);
    let blips: [fn(&mut Server); 3] = [
        |server| assert!(server.terminate("true") >= 2),
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
        blip::survived(Postgres::new(format!("q{number}"), &store), async || {
            back = Some(spawn_blocking(move || with(taken, blip)).await.unwrap());
        })
        .await;
        server = back;
    }
    spawn_blocking(move || drop(server)).await.unwrap();
}

fn with(mut server: Server, blip: fn(&mut Server)) -> Server {
    blip(&mut server);
    server
}
