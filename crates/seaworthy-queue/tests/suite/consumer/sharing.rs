use std::sync::atomic::Ordering;
use std::time::Duration;

use seaworthy::Bulkhead;
use seaworthy_queue::store::{Source, Take};
use seaworthy_queue::{Consumer, Solo};

use super::{Calls, Running, SECOND, enqueue, noted, pass, queue};
use crate::doubles::Spy;

/// QU-34: slots that are taken away while nothing runs are given back: no more jobs run at a time than there are.
#[tokio::test(start_paused = true)]
async fn resized_while_idle() {
    let (jobs, _) = queue();
    let calls = Calls::new();
    let slots = Bulkhead::builder("slots").limit(8).build().unwrap();
    let service = noted(&calls, |_, _| async {
        pass(100).await;
        Ok(())
    });
    let running = Running::start(Consumer::new(jobs.clone()).slots(slots.clone()).service(service));
    pass(10).await;
    slots.set_limit(2).unwrap();
    // The look that was under way.
    pass(2).await;
    assert!(slots.in_use() <= 2, "{}", slots.in_use());
    enqueue(&jobs, 0..8).await;
    pass(10).await;
    assert_eq!(calls.len(), 2);
    running.end().await;
}

/// QU-34: a consumer without jobs does not keep slots from others that share them, and asking for them is no rejection.
#[tokio::test(start_paused = true)]
async fn slots_are_shared() {
    for limit in [1, 3] {
        let ((idle, _), (busy, _)) = (queue(), queue());
        let slots = Bulkhead::builder("slots").limit(limit).build().unwrap();
        let (calls, none) = (Calls::new(), Calls::new());
        let work = |calls: &Calls| noted(calls, |_, _| async { Ok(()) });
        let first = Running::start(Consumer::new(idle.clone()).slots(slots.clone()).service(work(&none)));
        pass(1).await;
        let second = Running::start(Consumer::new(busy.clone()).slots(slots.clone()).service(work(&calls)));
        enqueue(&busy, 0..5).await;
        pass(30).await;
        assert_eq!((calls.len(), none.len()), (5, 0), "{limit} slots");
        enqueue(&idle, 0..5).await;
        pass(30).await;
        assert_eq!(none.len(), 5, "{limit} slots");
        assert_eq!(slots.snapshot().rejected, 0, "{limit} slots");
        first.end().await;
        second.end().await;
    }
}

/// QU-34, QU-37: a consumer that is paused, or whose gate is closed, keeps no slot.
#[tokio::test(start_paused = true)]
async fn paused_keeps_no_slot() {
    let (jobs, _) = queue();
    let calls = Calls::new();
    let slots = Bulkhead::builder("slots").limit(3).build().unwrap();
    let consumer = Consumer::new(jobs).slots(slots.clone()).service(noted(&calls, |_, _| async { Ok(()) }));
    let handle = consumer.handle();
    let running = Running::start(consumer);
    pass(1).await;
    handle.pause();
    pass(3).await;
    assert_eq!(slots.in_use(), 0);
    running.end().await;
}

/// A job that was abandoned twice, in the queue alone.
async fn suspect(jobs: &seaworthy_queue::Queue<super::Number, Spy>, spy: &Spy, number: u64) {
    enqueue(jobs, [number]).await;
    for owner in 1..=2 {
        let take = Take { owner, repeats: false, room: 1, visibility: SECOND, max_deliveries: 5 };
        assert_eq!(spy.inner.receive(&take, Duration::ZERO).await.unwrap().jobs.len(), 1);
        pass(1).await;
    }
}

/// QU-27: whoever wants to run a job alone, and cannot because it is paused or its store is away, does not stop those who
/// share its `Solo`.
#[tokio::test(start_paused = true)]
async fn solo_is_not_kept_by_who_cannot_look() {
    for is_paused in [true, false] {
        let ((jobs, spy), (others, _)) = (queue(), queue());
        enqueue(&jobs, [1]).await;
        let (calls, theirs) = (Calls::new(), Calls::new());
        let solo = Solo::default();
        let slow = noted(&calls, |_, _| async {
            pass(10).await;
            Ok(())
        });
        let quick = noted(&theirs, |_, _| async { Ok(()) });
        let consumer = Consumer::new(jobs.clone()).solo(&solo).service(slow);
        let handle = consumer.handle();
        let running = Running::start(consumer);
        pass(1).await;
        suspect(&jobs, &spy, 2).await;
        // It has come, and waits until the other one has ended.
        pass(2).await;
        assert_eq!(calls.len(), 1);
        if is_paused {
            handle.pause();
        } else {
            spy.fails.receives.store(true, Ordering::Relaxed);
        }
        let beside = Running::start(Consumer::new(others.clone()).solo(&solo).service(quick));
        enqueue(&others, 0..5).await;
        pass(60).await;
        assert_eq!(theirs.len(), 5, "paused: {is_paused}");
        handle.resume();
        spy.fails.receives.store(false, Ordering::Relaxed);
        pass(20).await;
        assert_eq!(calls.all().iter().map(|(number, ..)| *number).collect::<Vec<_>>(), [1, 2]);
        running.end().await;
        beside.end().await;
    }
}

/// QU-16: a repetition for which there is less room than before gives back what it has no place for, at no cost.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_with_less_room() {
    let (jobs, spy) = queue();
    enqueue(&jobs, 0..8).await;
    spy.fails.receive_answers.store(true, Ordering::Relaxed);
    let calls = Calls::new();
    let slots = Bulkhead::builder("slots").limit(8).build().unwrap();
    let consumer = Consumer::new(jobs.clone()).slots(slots.clone()).service(noted(&calls, |_, _| async { Ok(()) }));
    let running = Running::start(consumer);
    tokio::time::sleep(Duration::from_millis(10)).await;
    slots.set_limit(1).unwrap();
    spy.fails.receive_answers.store(false, Ordering::Relaxed);
    pass(20).await;
    assert_eq!(calls.all().iter().map(|(_, attempt, _)| *attempt).collect::<Vec<_>>(), [1; 8]);
    running.end().await;
}
