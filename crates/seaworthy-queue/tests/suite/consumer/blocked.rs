//! Calls that block their threads: in real time, because a paused clock does not go on beside them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seaworthy::observe::Interest;
use seaworthy::{BoxError, Shutdown};
use seaworthy_queue::{Consumer, Delivery, Queue};

use super::Number;
use crate::events::Told;

const MILLI: Duration = Duration::from_millis(1);

fn short(told: &Told) -> Queue<Number> {
    let queue = Queue::memory("steps").request_timeout(300 * MILLI).observer(told.observer(Interest::Changes));
    queue.build().unwrap()
}

/// Begins, and blocks its thread for so long.
fn consumer(
    queue: &Queue<Number>,
    begun: &Arc<AtomicU32>,
    blocked_for: Duration,
    timeout: Option<Duration>,
) -> impl Future<Output = ()> + Send + use<> {
    let begun = Arc::clone(begun);
    let service = tower::service_fn(move |_: Delivery<Number>| {
        let begun = Arc::clone(&begun);
        async move {
            begun.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(blocked_for);
            Ok::<_, BoxError>(())
        }
    });
    let consumer = Consumer::new(queue.clone()).visibility(1_000 * MILLI).service(service);
    let consumer = match timeout {
        Some(timeout) => consumer.job_timeout(timeout),
        None => consumer.no_job_timeout(),
    };
    let (stop, stopped) = Shutdown::new();
    async move {
        let _stop = stop;
        consumer.run(stopped).await.unwrap();
    }
}

/// QU-30, IN-03: a job that blocks its thread for three visibilities is kept all the while, and done once.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn kept_while_it_blocks() {
    let (told, begun) = (Told::default(), Arc::new(AtomicU32::new(0)));
    let queue = short(&told);
    queue.enqueue(Number(1)).await.unwrap();
    let both = [
        tokio::spawn(consumer(&queue, &begun, 3_000 * MILLI, None)),
        tokio::spawn(consumer(&queue, &begun, 3_000 * MILLI, None)),
    ];
    tokio::time::sleep(3_500 * MILLI).await;
    let depth = queue.depth().await.unwrap();
    assert_eq!((begun.load(Ordering::Relaxed), depth.running, depth.ready), (1, 0, 0));
    assert!(!told.kinds().contains("stuck"), "there is no timeout");
    for running in both {
        running.abort();
    }
}

/// QU-33, QU-92: a call that blocks its thread long after its timeout is named, and given up after one visibility; its
/// job is done by somebody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn given_up_at_last() {
    let (told, begun) = (Told::default(), Arc::new(AtomicU32::new(0)));
    let queue = short(&told);
    let id = queue.enqueue(Number(1)).await.unwrap().id().clone();
    let stuck = tokio::spawn(consumer(&queue, &begun, 9_000 * MILLI, Some(100 * MILLI)));
    tokio::time::sleep(500 * MILLI).await;
    let other = tokio::spawn(consumer(&queue, &begun, MILLI, Some(100 * MILLI)));
    tokio::time::sleep(1_000 * MILLI).await;
    assert_eq!(begun.load(Ordering::Relaxed), 1, "it is kept for a while");
    let until = tokio::time::Instant::now() + 15_000 * MILLI;
    loop {
        let depth = queue.depth().await.unwrap();
        let left = depth.running + depth.ready + depth.later;
        if left == 0 {
            break;
        }
        assert!(tokio::time::Instant::now() < until, "{depth:?}");
        tokio::time::sleep(50 * MILLI).await;
    }
    assert!(begun.load(Ordering::Relaxed) >= 2, "the stuck one has not done it");
    let texts = told.texts("stuck");
    // The same consumer may have taken it again.
    assert!((1..begun.load(Ordering::Relaxed) as usize).contains(&texts.len()), "{texts:?}");
    assert!(texts.iter().all(|text| text.starts_with(&format!("id={id} since="))), "{texts:?}");
    stuck.abort();
    other.abort();
}
