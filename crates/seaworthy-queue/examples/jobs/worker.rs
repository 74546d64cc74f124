//! One of the processes that do jobs. What it does it says, a line each: `start` and `done`, with the job's id.

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use seaworthy::{Backoff, BoxError, Shutdown};
use seaworthy_queue::store::QueueStore;
use seaworthy_queue::{Consumer, Delivery, JobId, Queue};
use tower::service_fn;

use super::job::{Kind, MOST, Provision};

/// How many at a time.
pub const AT_ONCE: u32 = 8;
const WORK: Duration = Duration::from_millis(100);

/// Until its input ends, which it does when the parent is gone, however that went.
pub async fn run<S: QueueStore>(queue: Queue<Provision, S>) -> Result<(), BoxError> {
    let (trigger, shutdown) = Shutdown::new();
    thread::spawn(move || {
        let _ended = io::copy(&mut io::stdin(), &mut io::sink());
        trigger.fire();
        thread::sleep(Duration::from_secs(8));
        std::process::exit(1);
    });
    let consumer = Consumer::new(queue)
        .visibility(Duration::from_secs(2))
        .concurrency(AT_ONCE)
        .max_deliveries(MOST)
        .retry_backoff(Backoff::constant(Duration::from_millis(200)))
        .drain(Duration::from_secs(2))
        .block(Duration::from_millis(500))
        .service(service_fn(provision));
    Ok(consumer.run(shutdown).await?)
}

async fn provision(delivery: Delivery<Provision>) -> Result<(), BoxError> {
    say("start", delivery.id());
    match delivery.job().kind() {
        Kind::Deadly => std::process::exit(9),
        Kind::Broken if delivery.headers().get("redriven").is_none() => return Err("no such region".into()),
        Kind::Unlucky if delivery.attempt() == 1 => return Err("no luck".into()),
        _ => {}
    }
    tokio::time::sleep(WORK).await;
    say("done", delivery.id());
    Ok(())
}

/// In one piece, and not in three as `println` does while another thread ends this process.
fn say(what: &str, id: &JobId) {
    let _parent_is_gone = io::stdout().write_all(format!("{what} {id}\n").as_bytes());
}
