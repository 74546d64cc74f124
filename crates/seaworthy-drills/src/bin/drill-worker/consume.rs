//! Does the jobs of a queue until SIGTERM, and writes down each start and each end.

use std::sync::Arc;
use std::time::Duration;

use seaworthy::{BoxError, Runner};
use seaworthy_drills::jobs::{End, JobStore, QUEUE, Work};
use seaworthy_faults::journal::{Entry, Writer};
use seaworthy_queue::{Consumer, Delivery, Queue};
use tower::service_fn;

use crate::options::Options;

/// Below a third of the shortest visibility.
const REQUEST: Duration = Duration::from_millis(320);

pub(crate) async fn run<J: JobStore>(options: &Options) {
    let journal = Arc::new(Writer::from_args());
    let store = J::open(options.store()).await;
    let queue: Queue<Work, J::Store> =
        Queue::with_store(QUEUE, store).request_timeout(REQUEST).build().expect("a drill's own settings");
    let notes = Arc::clone(&journal);
    let service = service_fn(move |delivery: Delivery<Work>| work(Arc::clone(&notes), delivery));
    let number = |name, default: u32| options.find(name).map_or(default, |text| text.parse().expect("a number"));
    let consumer = Consumer::new(queue)
        .visibility(Duration::from_millis(number("visibility", 1_000).into()))
        .concurrency(number("concurrency", 4))
        .max_deliveries(number("max-deliveries", 50))
        .drain(Duration::from_secs(5))
        .service(service);
    let ended = async {
        let runner = Runner::builder().drain_delay(Duration::ZERO).build()?;
        // From here on SIGTERM is heard.
        journal.write(Entry::note("ready"));
        runner.start(consumer.into_task(QUEUE))?;
        runner.run().await?;
        Ok::<(), BoxError>(())
    };
    ended.await.unwrap_or_else(|error| panic!("{error:?}"));
    journal.write(Entry::note("closed"));
}

async fn work(journal: Arc<Writer>, delivery: Delivery<Work>) -> Result<(), BoxError> {
    let (id, attempt, abandoned) = (delivery.id().to_string(), delivery.attempt(), delivery.abandoned());
    journal.write(Entry::start(&*id));
    journal.write(Entry::note("try").with("job", &*id).with("attempt", attempt).with("abandoned", abandoned));
    // Dropped in the middle of it, the job says no more.
    tokio::time::sleep(Duration::from_millis(delivery.job().millis)).await;
    match delivery.job().end {
        End::Well => {
            journal.write(Entry::effect(&*id));
            Ok(())
        }
        End::Error => Err("as it was told".into()),
        _ => std::process::abort(),
    }
}
