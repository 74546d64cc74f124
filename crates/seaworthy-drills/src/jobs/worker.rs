//! A process that does the jobs of a queue until SIGTERM, and writes down each start and each end: `consume`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use seaworthy::runner::Task;
use seaworthy::{BoxError, CircuitBreaker, Event, Runner};
use seaworthy_faults::journal::{Entry, Writer};
use seaworthy_queue::{Consumer, Delivery, Queue};
use tower::{Layer, ServiceExt, service_fn};

use super::job::{QUEUE, Work};
use super::store::{InSqlite, JobStore};
use super::work::Handler;
use crate::options::Options;

/// Does what the first argument says if it is `consume`, in a runtime of its own. Whether it was.
pub fn run() -> bool {
    let options = Options::from_args();
    if options.task() != "consume" {
        return false;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        match options.store().split(':').next() {
            Some("sqlite") => consume::<InSqlite>(&options).await,
            #[cfg(feature = "servers")]
            Some("postgres" | "postgresql") => consume::<super::store::InPostgres>(&options).await,
            #[cfg(feature = "servers")]
            Some("redis") => consume::<super::store::InRedis>(&options).await,
            _ => panic!("this program was not built with the store that it was given"),
        }
    });
    true
}

async fn consume<J: JobStore>(options: &Options) {
    let millis = |name, default| Duration::from_millis(options.find_number(name).unwrap_or(default));
    let visibility = millis("visibility", 1_000);
    // Below a third of the visibility, and for a long one no longer than a drill waits for an answer.
    let request = (visibility / 100 * 32).min(Duration::from_secs(2));
    let journal = Arc::new(Writer::from_args());
    let store = J::open(options.store()).await;
    let notes = Arc::clone(&journal);
    let queue: Queue<Work, J::Store> = Queue::with_store(QUEUE, store)
        .request_timeout(request)
        .observer(move |event: &Event<'_>| note(&notes, event))
        .build()
        .expect("a drill's own settings");
    let handler = Handler::<J::Base>::open(Arc::clone(&journal), options.find("ledger"), visibility, request).await;
    let deliveries = options.find_number("max-deliveries").unwrap_or(50);
    let mut consumer = Consumer::new(queue)
        .visibility(visibility)
        .concurrency(options.find_number("concurrency").unwrap_or(4))
        .max_deliveries(deliveries)
        .job_timeout(millis("job-timeout", 600_000))
        .drain(Duration::from_secs(5));
    consumer = match deliveries {
        _ if options.has("never-suspect") => consumer.never_suspect(),
        // There is no delivery left in which it could run alone.
        0..3 => consumer.never_suspect(),
        3 => consumer.suspect_after(1),
        _ => consumer,
    };
    if let Some(after) = options.find_number("retry-after") {
        let after = Duration::from_millis(after);
        consumer = consumer.retry_backoff(seaworthy::Backoff::exponential(after, after));
    }
    let Some(backend) = options.find("backend").map(PathBuf::from) else {
        let service = service_fn(move |delivery| Arc::clone(&handler).work(delivery));
        return until_asked(consumer.service(service).into_task(QUEUE), &journal).await;
    };
    let circuit =
        CircuitBreaker::builder("backend").consecutive_failures(5).open_for(millis("open-for", 30_000)).build();
    let circuit = circuit.expect("a drill's own settings");
    let notes = Arc::clone(&journal);
    let behind = circuit.layer().layer(service_fn(move |delivery| Arc::clone(&handler).ask(delivery, backend.clone())));
    let service = service_fn(move |delivery: Delivery<Work>| {
        // A delivery is one, too, if the circuit breaker lets it not go on.
        notes.write(Entry::note("delivered").with("job", delivery.id().as_str()).with("attempt", delivery.attempt()));
        behind.clone().oneshot(delivery)
    });
    until_asked(consumer.gate(circuit).service(service).into_task(QUEUE), &journal).await;
}

/// Until SIGTERM.
async fn until_asked(consumer: Task, journal: &Writer) {
    let ended = async {
        let runner = Runner::builder().drain_delay(Duration::ZERO).build()?;
        // From here on SIGTERM is heard.
        journal.write(Entry::note("ready"));
        runner.start(consumer)?;
        runner.run().await?;
        Ok::<(), BoxError>(())
    };
    ended.await.unwrap_or_else(|error| panic!("{error:?}"));
    journal.write(Entry::note("closed"));
}

/// Writes down what the queue tells: `lost`, `died`, `store_down`, `store_up` and what else is no call.
fn note(journal: &Writer, event: &Event<'_>) {
    let Event::Extension(event) = event else { return };
    let mut entry = Entry::note(event.kind());
    event.fields(&mut |name, value| {
        let held = std::mem::replace(&mut entry, Entry::note(""));
        entry = held.with(name, value.to_string());
    });
    journal.write(entry);
}
