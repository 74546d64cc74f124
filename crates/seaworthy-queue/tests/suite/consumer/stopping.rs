use std::sync::atomic::Ordering;
use std::time::Duration;

use seaworthy_queue::Consumer;
use tokio::time::Instant;

use super::{Calls, Running, SECOND, enqueue, noted, pass, queue};

/// QU-35: what a look under way brings to a shutdown is released within the bound, although the store does not answer any
/// more.
#[tokio::test(start_paused = true)]
async fn releases_that_hang() {
    let (jobs, spy) = queue();
    let calls = Calls::new();
    let consumer = Consumer::new(jobs.clone()).service(noted(&calls, |_, _| async { Ok(()) }));
    let bound = consumer.stop_bound();
    let running = Running::start(consumer);
    pass(1).await;
    spy.fails.settles_hang.store(true, Ordering::Relaxed);
    enqueue(&jobs, 0..10).await;
    let began = Instant::now();
    running.end().await;
    assert!(began.elapsed() <= bound, "{:?}", began.elapsed());
    assert_eq!((calls.len(), jobs.depth().await.unwrap().running), (0, 10));
}

/// QU-35: it is released, all of it.
#[tokio::test(start_paused = true)]
async fn what_comes_too_late_is_released() {
    let (jobs, spy) = queue();
    let calls = Calls::new();
    let running = Running::start(Consumer::new(jobs.clone()).service(noted(&calls, |_, _| async { Ok(()) })));
    pass(1).await;
    enqueue(&jobs, 0..10).await;
    running.end().await;
    let depth = jobs.depth().await.unwrap();
    assert_eq!((calls.len(), depth.ready, depth.running), (0, 10, 0));
    let settles = spy.settles.load(Ordering::Relaxed);
    pass(60).await;
    assert_eq!(spy.settles.load(Ordering::Relaxed), settles, "nothing is left that asks");
}

/// QU-33: a call that has ended is not named as one that cannot be dropped, however long its settlement takes.
#[tokio::test(start_paused = true)]
async fn ended_is_not_stuck() {
    let (jobs, spy) = queue();
    enqueue(&jobs, 0..1).await;
    let calls = Calls::new();
    let consumer = Consumer::new(jobs.clone()).job_timeout(2 * SECOND).service(noted(&calls, |_, _| async { Ok(()) }));
    spy.fails.settles.store(true, Ordering::Relaxed);
    let running = Running::start(consumer);
    // As long as it is extended it is ours, and told until it is settled: far beyond two visibilities.
    pass(200).await;
    assert_eq!((calls.len(), jobs.depth().await.unwrap().running), (1, 1));
    spy.fails.settles.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(6)).await;
    let depth = jobs.depth().await.unwrap();
    assert_eq!((calls.len(), depth.running, depth.ready), (1, 0, 0));
    running.end().await;
}
