//! The phase, the count of requests, and checks with several waiters.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;
use seaworthy::{AsyncCheck, BoxError, Health, Phase, Status};

use crate::{block_on, explore};

fn spawn<T: 'static>(health: &Health, work: impl FnOnce(Health) -> T + 'static) -> thread::JoinHandle<T> {
    let health = health.clone();
    thread::spawn(move || work(health))
}

fn serving() -> Health {
    let health = Health::new();
    assert!(health.advance(Phase::Serving));
    health
}

/// RD-09: what shutdown rests on: a request let in while the phase changes is waited for, and what it did is visible;
/// one that is turned away did nothing. No request comes in after the wait.
#[test]
fn admit_against_shutdown() {
    explore(4, || {
        let health = serving();
        let served = Arc::new(AtomicUsize::new(0));
        let theirs = Arc::clone(&served);
        let other = spawn(&health, move |health| {
            let Ok(_request) = health.admit() else { return 0 };
            // Not an atomic step: only a request that is waited for may do this.
            theirs.store(theirs.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            1
        });
        // Draining lets requests in until the listener closes; this is what closes the door.
        assert!(health.advance(Phase::Stopped));
        block_on(health.idle());
        let seen = served.load(Ordering::Relaxed);
        // A request turned away at that moment is not counted either.
        assert_eq!(health.in_flight(), 0);
        assert!(health.admit().is_err());
        assert_eq!(other.join().unwrap(), seen);
        assert_eq!(health.in_flight(), 0);
    });
}

/// RD-09: two requests end while a task waits: no wake-up is lost.
#[test]
fn leave_against_idle() {
    explore(3, || {
        let health = serving();
        let [one, two] = [health.admit().unwrap(), health.admit().unwrap()];
        let others = [spawn(&health, move |_| drop(one)), spawn(&health, move |_| drop(two))];
        block_on(health.idle());
        assert_eq!(health.in_flight(), 0);
        for other in others {
            other.join().unwrap();
        }
    });
}

/// RD-01: two threads advance the phase: each step is taken by one of them, and the phase never goes back.
#[test]
fn advance_against_advance() {
    explore(5, || {
        let health = serving();
        let other = spawn(&health, |health| [Phase::Draining, Phase::Stopped].map(|phase| health.advance(phase)));
        let mine = health.advance(Phase::Draining);
        assert!(health.phase() >= Phase::Draining);
        let [drained, stopped] = other.join().unwrap();
        assert!(stopped && !(mine && drained));
        assert_eq!((health.phase(), health.in_flight()), (Phase::Stopped, 0));
    });
}

/// HE-07: a check is registered while a request comes: the request is let in or not, and the count is right; after
/// that, none is let in.
#[test]
fn require_against_admit() {
    explore(3, || {
        let health = serving();
        let other = spawn(&health, |health| drop(health.admit()));
        health.require("x", || false).unwrap();
        assert!(health.admit().is_err());
        other.join().unwrap();
        assert_eq!(health.in_flight(), 0);
        assert!(health.remove("x"));
        assert!(health.admit().is_ok());
    });
}

/// HE-08: two wait for one run, which a third thread answers: both get the result, whichever drives it, and they never
/// drive it at the same time.
#[test]
fn two_wait_for_one_run() {
    explore(2, || {
        let (notify, driven) = (Arc::new(tokio::sync::Notify::new()), Arc::new(AtomicBool::new(false)));
        let answer = Arc::clone(&notify);
        let check = AsyncCheck::builder(move || {
            let (notify, driven) = (Arc::clone(&notify), Arc::clone(&driven));
            async move {
                assert!(!driven.swap(true, Ordering::Relaxed));
                notify.notified().await;
                driven.store(false, Ordering::Relaxed);
                notify.notify_one();
                Ok::<_, BoxError>(())
            }
        });
        // No time limit: there is no clock here.
        let check = check.timeout(std::time::Duration::MAX).build().unwrap();
        let theirs = check.clone();
        let other = thread::spawn(move || assert_eq!(block_on(theirs.run()), Status::Up));
        let third = thread::spawn(move || answer.notify_one());
        assert_eq!(block_on(check.run()), Status::Up);
        other.join().unwrap();
        third.join().unwrap();
    });
}

/// HE-08: one of two waiters goes away while the answer comes: the other is not left with a run that nothing drives,
/// even if it was woken while the first was driving.
#[test]
fn one_of_two_hangs_up() {
    explore(3, || {
        let notify = Arc::new(tokio::sync::Notify::new());
        let answer = Arc::clone(&notify);
        let check = AsyncCheck::builder(move || {
            let notify = Arc::clone(&notify);
            async move {
                let mut told = pin!(notify.notified());
                let pause = AtomicBool::new(false);
                std::future::poll_fn(|cx| {
                    let poll = told.as_mut().poll(cx);
                    // Another thread may run here, while this one is driving.
                    pause.store(true, Ordering::Relaxed);
                    poll
                })
                .await;
                Ok::<_, BoxError>(())
            }
        });
        let check = check.timeout(std::time::Duration::MAX).build().unwrap();
        let mut first = Box::pin(check.run());
        assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        // It has joined before the first may go: so there is only one run, and one answer is enough.
        let mut second = Box::pin(check.run());
        assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let other = thread::spawn(move || assert_eq!(block_on(second), Status::Up));
        let third = thread::spawn(move || answer.notify_one());
        let polled = first.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(!matches!(polled, Poll::Ready(Status::Down(_))));
        drop(first);
        other.join().unwrap();
        third.join().unwrap();
    });
}
