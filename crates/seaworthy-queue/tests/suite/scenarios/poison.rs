//! Jobs that never succeed.

use seaworthy::Backoff;
use seaworthy_queue::store::QueueStore;
use seaworthy_queue::{Consumer, Queue};
use tokio::task::JoinSet;

use super::support::{Calls, Number, Running, SECOND, counts, emptied, millis};

#[derive(Clone, Copy, Debug)]
enum Poison {
    Error,
    Panic,
    Timeout,
}

impl Poison {
    fn reason(self) -> &'static str {
        match self {
            Poison::Error => "no luck",
            Poison::Panic => "panicked: boom",
            Poison::Timeout => "timed out after 200ms",
        }
    }
}

/// A job that fails, panics or never ends is dead after exactly as many starts as it may have, and nine innocents beside
/// it are done, each at its first. How many times that was so: three numbers in three ways.
pub(crate) async fn dead_after_exactly_n<S: QueueStore>(make: impl Fn(String) -> S) -> usize {
    let mut all = JoinSet::new();
    for most in [1, 3, 5] {
        for poison in [Poison::Error, Poison::Panic, Poison::Timeout] {
            all.spawn(dead(make(format!("poison-{most}-{poison:?}").to_lowercase()), most, poison));
        }
    }
    all.join_all().await.len()
}

async fn dead<S: QueueStore>(store: S, most: u32, poison: Poison) {
    let queue: Queue<Number, S> = Queue::with_store("poison", store.clone()).request_timeout(SECOND).build().unwrap();
    for number in 0..10 {
        queue.enqueue(Number(number)).await.unwrap();
    }
    let calls = Calls::default();
    let service = calls.noted(move |number, _| async move {
        match (number, poison) {
            (0, Poison::Error) => Err("no luck".into()),
            (0, Poison::Panic) => panic!("boom"),
            (0, Poison::Timeout) => std::future::pending().await,
            _ => Ok(()),
        }
    });
    let consumer = Consumer::new(queue.clone()).visibility(5 * SECOND).max_deliveries(most).never_suspect();
    let consumer = consumer.job_timeout(millis(200)).retry_backoff(Backoff::constant(millis(20)));
    let running = Running::start(consumer.service(service));
    emptied(&store).await;
    running.end().await;
    assert_eq!(calls.attempts(0), (1..=most).collect::<Vec<_>>(), "{poison:?}");
    assert!((1..10).all(|number| calls.attempts(number) == [1]), "{poison:?}: {:?}", calls.all());
    assert_eq!(counts(&store).await, (0, 0, 0, 1));
    let dead = queue.dead().list(None).await.unwrap().jobs;
    let dead: Vec<_> = dead.iter().map(|job| (&*job.reason, job.attempts)).collect();
    assert_eq!(dead, [(poison.reason(), most)]);
}
