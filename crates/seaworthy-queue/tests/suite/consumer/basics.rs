use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::{BoxError, Shutdown};
use seaworthy_queue::{Consumer, Delivery, JobError, Queue};
use tower::service_fn;

use super::Number;

type Log = Arc<Mutex<Vec<(u64, u32)>>>;

/// QU-10, QU-20, QU-22: what succeeds is done once, what fails is tried again until its last attempt, and what says that
/// it is dead is dead.
#[tokio::test(start_paused = true)]
async fn done_retried_and_dead() {
    let queue: Queue<Number> = Queue::memory("numbers").build().unwrap();
    for number in 0..3 {
        assert!(queue.enqueue(Number(number)).await.unwrap().is_new());
    }
    let log = Log::default();
    let calls = Arc::clone(&log);
    let service = service_fn(move |delivery: Delivery<Number>| {
        calls.lock().unwrap().push((delivery.job().0, delivery.attempt()));
        async move {
            match delivery.job().0 {
                0 => Ok::<_, BoxError>(()),
                1 => Err("no luck".into()),
                _ => Err(JobError::dead("never").into()),
            }
        }
    });
    let (stop, stopped) = Shutdown::new();
    let running = tokio::spawn(Consumer::new(queue.clone()).service(service).run(stopped));
    tokio::time::sleep(Duration::from_secs(600)).await;
    stop.fire();
    running.await.unwrap().unwrap();
    let mut calls = log.lock().unwrap().clone();
    calls.sort_unstable();
    assert_eq!(calls, [(0, 1), (1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (2, 1)]);
    let depth = queue.depth().await.unwrap();
    assert_eq!((depth.ready, depth.later, depth.running, depth.dead), (0, 0, 0, 2));
    let dead = queue.dead().list(None).await.unwrap().jobs;
    let reasons: Vec<_> = dead.iter().map(|job| (&*job.reason, job.attempts)).collect();
    assert!(reasons.contains(&("no luck", 5)) && reasons.contains(&("never", 1)), "{reasons:?}");
}

/// QU-35: a shutdown lets calls end, takes nothing new, and gives back what does not end in time.
#[tokio::test(start_paused = true)]
async fn drained() {
    let queue: Queue<Number> = Queue::memory("numbers").build().unwrap();
    for number in [5, 60, 1] {
        queue.enqueue(Number(number)).await.unwrap();
    }
    let done = Arc::new(AtomicU32::new(0));
    let ended = Arc::clone(&done);
    let service = service_fn(move |delivery: Delivery<Number>| {
        let ended = Arc::clone(&ended);
        async move {
            tokio::time::sleep(Duration::from_secs(delivery.job().0)).await;
            ended.fetch_add(1, Ordering::Relaxed);
            Ok::<_, BoxError>(())
        }
    });
    let (stop, stopped) = Shutdown::new();
    let consumer = Consumer::new(queue.clone()).concurrency(2).service(service);
    assert_eq!(consumer.stop_bound(), Duration::from_secs(26));
    let running = tokio::spawn(consumer.run(stopped));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let began = tokio::time::Instant::now();
    stop.fire();
    running.await.unwrap().unwrap();
    assert!(began.elapsed() <= Duration::from_secs(26), "{:?}", began.elapsed());
    assert_eq!(done.load(Ordering::Relaxed), 1);
    let depth = queue.depth().await.unwrap();
    assert_eq!((depth.ready, depth.running), (2, 0));
}
