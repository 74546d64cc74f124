//! SO-10: how often an asynchronous check has to fail or succeed, and that it never runs twice at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use seaworthy::{AsyncCheck, BoxError, Check, Status};
use tokio::sync::Notify;
use tokio_test::{assert_pending, assert_ready_eq, task};

use super::serving;
use crate::support::{MS, SECOND, advance};

/// Each run is the next letter: `+` succeeds.
async fn said(results: &'static str, failures: u32, successes: u32) -> String {
    let run = AtomicUsize::new(0);
    let check = AsyncCheck::builder(move || {
        let place = run.fetch_add(1, Ordering::Relaxed);
        let fails = results.as_bytes()[place] == b'-';
        std::future::ready(if fails { Err(format!("run {place}")) } else { Ok(()) })
    });
    let check = check.failure_threshold(failures).success_threshold(successes).build().unwrap();
    let health = serving();
    health.require("ship", check.clone()).unwrap();
    let mut said = String::new();
    for _ in results.chars() {
        let status = check.run().await;
        // The readiness layer and the endpoints say the same.
        assert_eq!(health.is_ready(), status.is_up());
        said.push(if status.is_up() { '+' } else { '-' });
    }
    said
}

/// SO-10: it is down after this many failures in a row and up after this many successes in a row; one of each by
/// default.
#[tokio::test]
async fn thresholds() {
    assert_eq!(said("+-+--+", 1, 1).await, "+-+--+");
    assert_eq!(said("--+---+-", 3, 1).await, "+++++-++");
    assert_eq!(said("-+-++-", 1, 2).await, "----+-");
    assert_eq!(said("--+-+++-", 2, 3).await, "+-----++");
}

/// SO-10: while it is down, the reason is that of the last failure; all that wait for a run get the same answer.
#[tokio::test(start_paused = true)]
async fn reasons() {
    let (run, answer) = (AtomicUsize::new(0), Arc::new(Notify::new()));
    let awaited = Arc::clone(&answer);
    let check = AsyncCheck::builder(move || {
        let (run, awaited) = (run.fetch_add(1, Ordering::Relaxed), Arc::clone(&awaited));
        async move {
            awaited.notified().await;
            if run == 2 { Ok(()) } else { Err(format!("run {run}")) }
        }
    });
    let check = check.failure_threshold(2).success_threshold(2).min_interval(SECOND).build().unwrap();
    for expected in
        [Status::Up, Status::Down("run 1".into()), Status::Down("run 1".into()), Status::Down("run 3".into())]
    {
        let mut runs = [(); 3].map(|()| task::spawn(check.run()));
        runs.iter_mut().for_each(|run| assert_pending!(run.poll()));
        answer.notify_one();
        for run in &mut runs {
            assert_ready_eq!(run.poll(), expected);
        }
        // The kept result is the reported one.
        advance(SECOND - MS).await;
        assert_eq!(check.run().await, expected);
        assert_eq!(check.status().is_up(), expected.is_up());
        advance(MS).await;
    }
}

/// SO-10: a threshold of zero would make no sense.
#[test]
fn zero() {
    let builder = || AsyncCheck::builder(|| async { Ok::<_, BoxError>(()) });
    assert_eq!(builder().failure_threshold(0).build().unwrap_err().field(), "failure_threshold");
    assert_eq!(builder().success_threshold(0).build().unwrap_err().field(), "success_threshold");
    assert!(builder().failure_threshold(u32::MAX).success_threshold(u32::MAX).build().is_ok());
}

/// Signals that it is being dropped, and waits until it may finish.
struct SlowDrop(mpsc::Sender<()>, mpsc::Receiver<()>);

impl Drop for SlowDrop {
    fn drop(&mut self) {
        self.0.send(()).unwrap();
        self.1.recv().unwrap();
    }
}

/// SO-10: a caller that comes while a run is being dropped waits until it is gone, and then starts another.
#[test]
fn never_two_at_a_time() {
    let (dropping, is_dropping) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let first = Mutex::new(Some(SlowDrop(dropping, may_go_on)));
    let begun = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&begun);
    let check = AsyncCheck::builder(move || {
        let run = counted.fetch_add(1, Ordering::SeqCst);
        let slow = first.lock().unwrap().take();
        async move {
            let _slow = slow;
            if run == 0 { std::future::pending().await } else { Ok::<_, BoxError>(()) }
        }
    });
    // No time limit, so that it needs no timer.
    let check = check.timeout(std::time::Duration::MAX).build().unwrap();
    let mut hangs_up = task::spawn(check.run());
    assert_pending!(hangs_up.poll());
    let dropped = thread::spawn(move || drop(hangs_up));
    is_dropping.recv().unwrap();
    let mut comes = [(); 2].map(|()| task::spawn(check.run()));
    comes.iter_mut().for_each(|run| assert_pending!(run.poll()));
    // One of them stops waiting.
    let mut goes = task::spawn(check.run());
    assert_pending!(goes.poll());
    drop(goes);
    assert_eq!(begun.load(Ordering::SeqCst), 1);
    go_on.send(()).unwrap();
    dropped.join().unwrap();
    assert!(comes.iter().any(|run| run.is_woken()));
    for run in &mut comes {
        assert_ready_eq!(run.poll(), Status::Up);
    }
    assert_eq!(begun.load(Ordering::SeqCst), 2);
}
