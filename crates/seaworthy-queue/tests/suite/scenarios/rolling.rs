//! A deployment, in the middle of which two versions of a job are in the queue, and two of its workers at work.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use seaworthy::BoxError;
use seaworthy_queue::store::QueueStore;
use seaworthy_queue::{Consumer, Delivery, Job, JobId, Queue};
use serde_json::Value;

use super::support::{Number, Running, SECOND, counts, emptied, millis};

const JOBS: u64 = 200;

/// The version after [`Number`].
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Named {
    name: String,
}

impl Job for Named {
    const KIND: &str = Number::KIND;
    const VERSION: u16 = 2;

    fn upgrade(from: u16, body: Value) -> Result<Named, BoxError> {
        assert_eq!(from, Number::VERSION);
        Ok(Named { name: body.as_u64().ok_or("no number")?.to_string() })
    }
}

/// By whom each job was done, with its attempt.
type Done = Arc<Mutex<BTreeMap<JobId, Vec<(&'static str, u32)>>>>;

fn worker<M: Job, S: QueueStore>(store: &S, who: &'static str, done: &Done) -> Running {
    let done = Arc::clone(done);
    let service = tower::service_fn(move |delivery: Delivery<M>| {
        let done = Arc::clone(&done);
        async move {
            tokio::time::sleep(millis(5)).await;
            let mut done = done.lock().unwrap();
            done.entry(delivery.id().clone()).or_default().push((who, delivery.attempt()));
            Ok::<_, BoxError>(())
        }
    });
    let queue: Queue<M, S> = Queue::with_store("rolling", store.clone()).request_timeout(SECOND).build().unwrap();
    Running::start(Consumer::new(queue).visibility(5 * SECOND).concurrency(4).service(service))
}

/// Of 400 jobs of two versions, done by workers of both, none is lost and none is dead: the old worker puts off what is
/// newer, at no cost, and the new one does what is older, too. `thirty_seconds` is called when only what was put off is
/// left, and lets that time go by.
pub(crate) async fn deployed<S: QueueStore>(store: S, thirty_seconds: impl AsyncFn()) {
    let old: Queue<Number, S> = Queue::with_store("rolling", store.clone()).build().unwrap();
    let new: Queue<Named, S> = Queue::with_store("rolling", store.clone()).build().unwrap();
    let (mut olds, mut news) = (Vec::new(), Vec::new());
    for number in 0..JOBS {
        olds.push(old.enqueue(Number(number)).await.unwrap().id().clone());
        news.push(new.enqueue(Named { name: number.to_string() }).await.unwrap().id().clone());
    }
    let done = Done::default();
    let mut olds_at_work = vec![worker::<Number, S>(&store, "old", &done), worker::<Number, S>(&store, "old", &done)];
    let news_at_work = [worker::<Named, S>(&store, "new", &done), worker::<Named, S>(&store, "new", &done)];
    let mut rounds = 0;
    while done.lock().unwrap().len() < 2 * usize::try_from(JOBS).unwrap() {
        let (ready, later, running, dead) = counts(&store).await;
        assert_eq!(dead, 0);
        if ready + running == 0 && later > 0 {
            rounds += 1;
            // The deployment goes on.
            if let Some(old) = olds_at_work.pop() {
                old.end().await;
            }
            thirty_seconds().await;
        }
        tokio::time::sleep(millis(20)).await;
    }
    emptied(&store).await;
    assert_eq!(counts(&store).await, (0, 0, 0, 0));
    for worker in news_at_work.into_iter().chain(olds_at_work) {
        worker.end().await;
    }
    let done = done.lock().unwrap();
    assert!(done.values().all(|times| matches!(times[..], [(_, 1)])), "{done:?}");
    let by = |ids: &[JobId], who| ids.iter().filter(|id| done[*id][0].0 == who).count();
    let all = news.len();
    assert_eq!((olds.len(), by(&news, "new"), by(&news, "old")), (all, all, 0));
    assert!(by(&olds, "old") > 0 && by(&olds, "new") > 0, "they did not mix");
    assert!(rounds > 0, "nothing was put off");
}
