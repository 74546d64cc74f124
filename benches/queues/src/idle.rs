//! What a consumer of 100 slots asks a server while there is nothing to do: by what the server itself has counted.

use std::time::Duration;

use seaworthy::{BoxError, Shutdown};
use seaworthy_faults::postgres::Postgres;
use seaworthy_faults::redis::{Persistence, Redis, Reply};
use seaworthy_queue::redis::RedisStore;
use seaworthy_queue::store::QueueStore;
use seaworthy_queue::{Consumer, Delivery, Queue, postgres};
use seaworthy_store::postgres::PgStore;
use tokio::task::JoinHandle;
use tower::service_fn;

use crate::load::Work;

const SLOTS: u32 = 100;
/// Until connections are open and statements prepared.
const WARM: Duration = Duration::from_secs(2);

fn consumer<S: QueueStore>(queue: Queue<Work, S>) -> JoinHandle<()> {
    let service = service_fn(|_: Delivery<Work>| async { Ok::<_, BoxError>(()) });
    tokio::spawn(async move {
        let (_trigger, never) = Shutdown::new();
        Consumer::new(queue)
            .concurrency(SLOTS)
            .service(service)
            .run(never)
            .await
            .expect("it works until it is stopped");
    })
}

/// How much a count has grown in a second.
async fn grown(watched: Duration, count: impl Fn() -> f64) -> f64 {
    tokio::time::sleep(WARM).await;
    let before = count();
    tokio::time::sleep(watched).await;
    (count() - before) / watched.as_secs_f64()
}

pub(crate) async fn show(watched: Duration) {
    println!("\n| idle, {SLOTS} slots | a second |\n|---|--:|");
    let server = Redis::start(Persistence::EverySec);
    let store = RedisStore::connect(&server.url()).await.expect("the server is there");
    let idle = consumer(Queue::redis("idle", &store).build().expect("the settings are right"));
    // A step reads once itself, and so does each wait: the reads are as many as both together.
    let commands = || {
        let Reply::Text(text) = server.ask(&["INFO", "commandstats"]) else { panic!("it tells") };
        let calls = |line: &str| line.split_once("calls=")?.1.split(',').next()?.parse::<f64>().ok();
        let ours = ["cmdstat_xreadgroup:", "cmdstat_ping:"];
        text.lines().filter(|line| ours.iter().any(|name| line.starts_with(name))).filter_map(calls).sum()
    };
    println!("| Redis, commands | {:.2} |", grown(watched, commands).await);
    idle.abort();
    let server = Postgres::start();
    let store = PgStore::connect(&server.url()).await.expect("the server is there");
    postgres::migrate(&store).await.expect("the tables are made");
    let idle = consumer(Queue::postgres("idle", &store).build().expect("the settings are right"));
    // Each statement is a transaction. So is the question, which makes this a little too high.
    let statements = || {
        let text =
            server.psql("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()");
        text.parse::<f64>().expect("a number")
    };
    println!("| Postgres, transactions | {:.2} |", grown(watched, statements).await);
    idle.abort();
}
