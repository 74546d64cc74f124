//! One of the processes that do jobs. What it does it says, a line each: `start` and `done`, with the job's id.

use std::io;
use std::thread;
use std::time::Duration;

use seaworthy::{Backoff, BoxError, Shutdown};
use seaworthy_queue::store::QueueStore;
use seaworthy_queue::{Consumer, Delivery, Queue};
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
    // Written whole and at once, whatever happens to this process next.
    println!("start {}", delivery.id());
    match delivery.job().kind() {
        Kind::Deadly => std::process::exit(9),
        Kind::Broken if delivery.headers().get("redriven").is_none() => return Err("no such region".into()),
        Kind::Unlucky if delivery.attempt() == 1 => return Err("no luck".into()),
        _ => {}
    }
    tokio::time::sleep(WORK).await;
    println!("done {}", delivery.id());
    Ok(())
}
