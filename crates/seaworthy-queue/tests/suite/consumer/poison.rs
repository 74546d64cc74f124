use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seaworthy::BoxError;
use seaworthy_queue::{Consumer, JobError, Solo};

use super::{Calls, Running, SECOND, enqueue, noted, pass, queue};

/// QU-22, QU-32, QU-33, IN-04: dead after exactly N starts, by an error, a panic or a timeout, with the last reason, and
/// innocents beside it are done.
#[tokio::test(start_paused = true)]
async fn dead_after_exactly_n() {
    for most in [1, 3, 5] {
        for (way, reason) in [(0, "no luck"), (1, "panicked: boom"), (2, "timed out after 2s")] {
            let (jobs, _) = queue();
            enqueue(&jobs, 0..10).await;
            let calls = Calls::new();
            let service = noted(&calls, move |number, _| async move {
                match (number, way) {
                    (0, 0) => Err("no luck".into()),
                    (0, 1) => panic!("boom"),
                    (0, _) => std::future::pending().await,
                    _ => Ok::<_, BoxError>(()),
                }
            });
            let consumer = Consumer::new(jobs.clone()).max_deliveries(most).never_suspect().job_timeout(2 * SECOND);
            let running = Running::start(consumer.service(service));
            pass(3_600).await;
            let starts = calls.all().iter().filter(|(number, ..)| *number == 0).count();
            assert_eq!((starts, calls.len() - starts), (most as usize, 9), "{reason}");
            let dead = jobs.dead().list(None).await.unwrap().jobs;
            assert_eq!(dead.iter().map(|job| (&*job.reason, job.attempts)).collect::<Vec<_>>(), [(reason, most)]);
            running.end().await;
        }
    }
}

/// QU-20: an error that says itself what is to become of the job is obeyed, wherever it is among the sources; retries wait
/// longer each time.
#[tokio::test(start_paused = true)]
async fn errors_that_say() {
    let (jobs, _) = queue();
    enqueue(&jobs, [0, 1]).await;
    let calls = Calls::new();
    let service = noted(&calls, |number, meta| async move {
        match (number, meta.attempt()) {
            (0, 1) => Err(JobError::retry(100 * SECOND, "later").into()),
            (1, _) if meta.deferred_for().is_none() => Err(JobError::defer(50 * SECOND).into()),
            _ => Ok::<_, BoxError>(()),
        }
    });
    let running = Running::start(Consumer::new(jobs.clone()).service(service));
    pass(300).await;
    let calls: Vec<_> = calls.all().into_iter().map(|(number, attempt, at)| (number, attempt, at.as_secs())).collect();
    assert_eq!(calls, [(0, 1, 0), (1, 1, 0), (1, 1, 50), (0, 2, 100)]);
    running.end().await;
}

/// QU-23: a job that is put off for as long as that is allowed is tried, and that counts.
#[tokio::test(start_paused = true)]
async fn put_off_for_too_long() {
    let (jobs, _) = queue();
    enqueue(&jobs, [0]).await;
    let calls = Calls::new();
    let service = noted(&calls, |_, _| async { Err::<(), BoxError>(JobError::defer(10 * SECOND).into()) });
    let consumer = Consumer::new(jobs.clone()).defer_at_most(100 * SECOND).max_deliveries(3).never_suspect();
    let running = Running::start(consumer.service(service));
    pass(1_000).await;
    assert_eq!(jobs.depth().await.unwrap().dead, 1);
    // Ten deferrals and a retry, three times.
    assert!((30..=36).contains(&calls.len()), "{}", calls.len());
    running.end().await;
}

/// QU-27: a job that was abandoned twice runs alone, also beside another consumer of the process.
#[tokio::test(start_paused = true)]
async fn suspects_run_alone() {
    let (jobs, spy) = queue();
    enqueue(&jobs, 0..1).await;
    let take =
        |owner| seaworthy_queue::store::Take { owner, repeats: false, room: 1, visibility: SECOND, max_deliveries: 5 };
    for owner in 1..=2 {
        let taken = seaworthy_queue::store::Source::receive(&spy.inner, &take(owner), Duration::ZERO).await.unwrap();
        assert_eq!(taken.jobs.len(), 1);
        pass(1).await;
    }
    enqueue(&jobs, 1..20).await;
    let (now, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let beside = Arc::new(AtomicU32::new(0));
    let (n, m, b) = (Arc::clone(&now), Arc::clone(&most), Arc::clone(&beside));
    let calls = Calls::new();
    let service = noted(&calls, move |number, _| {
        let (now, most, beside) = (Arc::clone(&n), Arc::clone(&m), Arc::clone(&b));
        async move {
            let running = now.fetch_add(1, Ordering::Relaxed) + 1;
            most.fetch_max(running, Ordering::Relaxed);
            if number == 0 {
                beside.fetch_max(running - 1, Ordering::Relaxed);
            }
            pass(1).await;
            if number == 0 {
                beside.fetch_max(now.load(Ordering::Relaxed) - 1, Ordering::Relaxed);
            }
            now.fetch_sub(1, Ordering::Relaxed);
            Ok::<_, BoxError>(())
        }
    });
    let solo = Solo::default();
    let consumer = || Consumer::new(jobs.clone()).solo(&solo).concurrency(4).service(service.clone());
    let both = [Running::start(consumer()), Running::start(consumer())];
    pass(60).await;
    assert_eq!(calls.len(), 20);
    assert_eq!(beside.load(Ordering::Relaxed), 0, "it ran beside others");
    assert!(most.load(Ordering::Relaxed) > 1);
    for running in both {
        running.end().await;
    }
}
