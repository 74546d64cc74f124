//! What runs at set times, enqueued by a leader.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::{BoxError, Shutdown};
use seaworthy_leader::{LeaderGuard, Local, LocalElector};
use seaworthy_queue::{Consumer, Delivery, EnqueueRequest, Job, JobId, Queue};
use tokio::time::Instant;
use tower::service_fn;

const EVERY: Duration = Duration::from_secs(60);

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Report;

impl Job for Report {
    const KIND: &str = "report";
}

/// Which tick was enqueued by whom, and whether it was new.
type Enqueued = Arc<Mutex<Vec<(u64, &'static str, bool)>>>;

/// Since `began` is the time that all processes have.
async fn cron(
    queue: Queue<Report>,
    who: &'static str,
    began: Instant,
    enqueued: Enqueued,
    ended: Shutdown,
) -> Result<(), BoxError> {
    while !ended.is_requested() {
        let tick = began.elapsed().as_secs() / EVERY.as_secs();
        let id = JobId::new(&format!("cron:report:{tick}"))?;
        let entered = queue.enqueue(EnqueueRequest::new(Report).id(id)).await?;
        enqueued.lock().unwrap().push((tick, who, entered.is_new()));
        ended.until(tokio::time::sleep_until(began + EVERY * u32::try_from(tick + 1)?)).await;
    }
    Ok(())
}

/// Three minutes with three processes: one leader ends, and the next dies, each shortly after its tick. What was
/// enqueued, and what was done.
async fn three_minutes(queue: Queue<Report>) -> (Vec<(u64, &'static str, bool)>, Vec<String>) {
    let (leases, enqueued, began) = (Local::default(), Enqueued::default(), Instant::now());
    let start = |who| {
        let elector = LocalElector::on(&leases).build().unwrap();
        let (queue, enqueued) = (queue.clone(), Arc::clone(&enqueued));
        let guard = LeaderGuard::new(elector, "cron", move |term| {
            let ended = term.ended();
            cron(queue.clone(), who, began, Arc::clone(&enqueued), ended)
        });
        let (stop, stopped) = Shutdown::new();
        (stop, tokio::spawn(guard.run(stopped)))
    };
    let done = Arc::new(Mutex::new(Vec::new()));
    let doing = Arc::clone(&done);
    let (stop, stopped) = Shutdown::new();
    let consumer = Consumer::new(queue.clone()).service(service_fn(move |job: Delivery<Report>| {
        doing.lock().unwrap().push(job.id().to_string());
        async { Ok::<_, BoxError>(()) }
    }));
    let consumer = tokio::spawn(consumer.run(stopped));

    let until = |second| tokio::time::sleep_until(began + Duration::from_secs(second));
    let (first, _guard) = start("first");
    until(1).await;
    let (_second, second) = start("second");
    until(61).await;
    first.fire();
    until(130).await;
    let (_third, _guard) = start("third");
    until(135).await;
    second.abort();
    until(170).await;

    stop.fire();
    consumer.await.unwrap().unwrap();
    let (enqueued, done) = (enqueued.lock().unwrap().clone(), done.lock().unwrap().clone());
    (enqueued, done)
}

/// QU-84: a leader enqueues under the id of the tick; at a takeover the old one and the new one enqueue the same tick,
/// and with `remember` that is one job, which is done once.
#[tokio::test(start_paused = true)]
async fn one_job_of_a_tick() {
    let queue = Queue::memory("reports").remember(Duration::from_secs(3_600)).build().unwrap();
    let (enqueued, done) = three_minutes(queue).await;
    let expected =
        [(0, "first", true), (1, "first", true), (1, "second", false), (2, "second", true), (2, "third", false)];
    assert_eq!(enqueued, expected);
    assert_eq!(done, ["cron:report:0", "cron:report:1", "cron:report:2"]);
}

/// QU-84: without `remember` a tick that was done before the takeover is done again.
#[tokio::test(start_paused = true)]
async fn twice_if_not_remembered() {
    let (enqueued, done) = three_minutes(Queue::memory("reports").build().unwrap()).await;
    assert!(enqueued.iter().all(|(.., is_new)| *is_new), "{enqueued:?}");
    assert_eq!(done.len(), 5, "{done:?}");
}
