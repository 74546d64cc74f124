//! The bulkhead.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize as StdAtomicIsize, AtomicUsize as StdAtomicUsize, Ordering as StdOrdering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;
use seaworthy::bulkhead::{Acquire, Permit};
use seaworthy::observe::BulkheadEvent;
use seaworthy::{Bulkhead, Event, Observer, Rejected};

use crate::{block_on, explore};

/// The most preemptions with two threads, and with three, for which there are far more orders.
const TWO: usize = 5;
const THREE: usize = 3;

/// Waits have no limit, and so need no timer.
fn patient(limit: u32) -> Bulkhead {
    Bulkhead::builder("x").limit(limit).max_wait(Duration::MAX).build().unwrap()
}

fn spawn<T: 'static>(bulkhead: &Bulkhead, work: impl FnOnce(Bulkhead) -> T + 'static) -> thread::JoinHandle<T> {
    let bulkhead = bulkhead.clone();
    thread::spawn(move || work(bulkhead))
}

/// Notes that it was woken.
#[derive(Default)]
struct Flag(StdAtomicUsize);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, StdOrdering::Relaxed);
    }
}

/// A waiter that is polled by hand.
struct Waiter {
    take: Acquire,
    flag: Arc<Flag>,
}

impl Waiter {
    /// One in the queue.
    fn queued(bulkhead: &Bulkhead) -> Waiter {
        let mut waiter = Waiter { take: bulkhead.acquire(), flag: Arc::default() };
        assert!(waiter.poll().is_pending());
        waiter
    }

    fn poll(&mut self) -> Poll<Result<Permit, Rejected>> {
        let waker = Waker::from(Arc::clone(&self.flag));
        Pin::new(&mut self.take).poll(&mut Context::from_waker(&waker))
    }

    fn is_woken(&self) -> bool {
        self.flag.0.load(StdOrdering::Relaxed) > 0
    }
}

fn assert_idle(bulkhead: &Bulkhead) {
    let counts = bulkhead.snapshot();
    assert_eq!((counts.in_use, counts.queued, bulkhead.available()), (0, 0, counts.limit), "{counts:?}");
}

/// What only the holder of the one permit may touch: a plain count, no atomic step.
#[derive(Default)]
struct Guarded(AtomicUsize);

impl Guarded {
    fn visit(&self) {
        let seen = self.0.load(Ordering::Relaxed);
        self.0.store(seen + 1, Ordering::Relaxed);
    }
}

/// BH-01: one permit and two takers: the second holder sees everything the first did. At least one of them gets it.
#[test]
fn take_and_give_back() {
    explore(TWO, || {
        let bulkhead = Bulkhead::builder("x").limit(1).build().unwrap();
        let guarded = Arc::new(Guarded::default());
        let visit = |bulkhead: &Bulkhead, guarded: &Guarded| {
            bulkhead.try_acquire().is_ok_and(|_permit| {
                guarded.visit();
                true
            })
        };
        let theirs = Arc::clone(&guarded);
        let other = spawn(&bulkhead, move |bulkhead| visit(&bulkhead, &theirs));
        let mine = visit(&bulkhead, &guarded);
        let visits = usize::from(mine) + usize::from(other.join().unwrap());
        assert!(visits >= 1);
        assert_eq!(guarded.0.load(Ordering::Relaxed), visits);
        assert_eq!(bulkhead.snapshot().rejected, 2 - visits as u64);
        assert_idle(&bulkhead);
    });
}

/// BH-01: three takers and two permits: never three inside, and never fewer than two let in.
#[test]
fn three_takers_and_two_slots() {
    explore(THREE, || {
        let bulkhead = Bulkhead::builder("x").limit(2).build().unwrap();
        let take = |bulkhead: Bulkhead| {
            let permit = bulkhead.try_acquire();
            assert!(bulkhead.in_use() <= 2);
            permit
        };
        let others = [spawn(&bulkhead, take), spawn(&bulkhead, take)];
        let mine = take(bulkhead.clone());
        let held = others.map(|other| other.join().unwrap());
        let granted = held.iter().chain([&mine]).filter(|permit| permit.is_ok()).count();
        assert_eq!(granted, 2);
        drop((held, mine));
        assert_idle(&bulkhead);
    });
}

/// BH-03: a permit released just as a caller starts to wait for it is not lost between the two. BH-01: and what its
/// holder did is visible.
#[test]
fn give_back_against_wait() {
    explore(TWO, || {
        let bulkhead = patient(1);
        let guarded = Arc::new(Guarded::default());
        let permit = bulkhead.try_acquire().unwrap();
        let theirs = Arc::clone(&guarded);
        let other = spawn(&bulkhead, move |bulkhead| {
            let _permit = block_on(bulkhead.acquire()).unwrap();
            theirs.visit();
        });
        guarded.visit();
        drop(permit);
        other.join().unwrap();
        assert_eq!(guarded.0.load(Ordering::Relaxed), 2);
        assert_idle(&bulkhead);
    });
}

/// BH-03: two wait for one permit, and each releases it.
#[test]
fn two_wait_for_one_slot() {
    explore(THREE, || {
        let bulkhead = patient(1);
        let permit = bulkhead.try_acquire().unwrap();
        let wait = |bulkhead: Bulkhead| drop(block_on(bulkhead.acquire()).unwrap());
        let others = [spawn(&bulkhead, wait), spawn(&bulkhead, wait)];
        drop(permit);
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_idle(&bulkhead);
    });
}

/// BH-07: nothing overtakes the queue: while a caller waits, and until it has released its permit, `try_acquire` gets
/// none.
#[test]
fn try_take_does_not_overtake() {
    explore(TWO, || {
        let bulkhead = patient(1);
        let permit = bulkhead.try_acquire().unwrap();
        let mut waiter = Waiter::queued(&bulkhead);
        let other = spawn(&bulkhead, |bulkhead| bulkhead.try_acquire().is_err());
        drop(permit);
        assert!(waiter.is_woken());
        let Poll::Ready(Ok(permit)) = waiter.poll() else { panic!("the permit is its own") };
        assert!(other.join().unwrap());
        drop(permit);
        assert_idle(&bulkhead);
    });
}

/// BH-06: a permit released just as the caller that waits for it is dropped is free, or goes to the next.
#[test]
fn give_back_against_cancel() {
    explore(TWO, || {
        let bulkhead = patient(1);
        let permit = bulkhead.try_acquire().unwrap();
        let first = Waiter::queued(&bulkhead);
        let other = spawn(&bulkhead, move |_| drop(first));
        drop(permit);
        other.join().unwrap();
        assert_idle(&bulkhead);
    });
    explore(TWO, || {
        let bulkhead = patient(1);
        let permit = bulkhead.try_acquire().unwrap();
        let first = Waiter::queued(&bulkhead);
        let mut second = Waiter::queued(&bulkhead);
        let other = spawn(&bulkhead, move |_| drop(first));
        drop(permit);
        other.join().unwrap();
        assert!(second.is_woken());
        assert!(matches!(second.poll(), Poll::Ready(Ok(_))));
        assert_idle(&bulkhead);
    });
}

/// BH-06: two permits are released while two wait and one of them is dropped: the other has its permit, and one is
/// free.
#[test]
fn two_give_back_against_cancel() {
    explore(THREE, || {
        let bulkhead = patient(2);
        let [one, two] = [bulkhead.try_acquire().unwrap(), bulkhead.try_acquire().unwrap()];
        let first = Waiter::queued(&bulkhead);
        let mut second = Waiter::queued(&bulkhead);
        let others = [spawn(&bulkhead, move |_| drop(one)), spawn(&bulkhead, move |_| drop(first))];
        drop(two);
        others.into_iter().for_each(|other| other.join().unwrap());
        assert!(second.is_woken());
        let Poll::Ready(Ok(permit)) = second.poll() else { panic!("a permit is its own") };
        assert_eq!((bulkhead.in_use(), bulkhead.queued(), bulkhead.available()), (1, 0, 1));
        drop(permit);
        assert_idle(&bulkhead);
    });
}

/// BH-07: whatever the counts say has happened: once nothing waits any more, the former waiter has a permit.
#[test]
fn counts_against_give_back() {
    explore(TWO, || {
        let bulkhead = patient(1);
        let permit = bulkhead.try_acquire().unwrap();
        let mut waiter = Waiter::queued(&bulkhead);
        let other = spawn(&bulkhead, move |_| drop(permit));
        let counts = bulkhead.snapshot();
        assert_eq!((counts.in_use, bulkhead.available()), (1, 0));
        let poll = waiter.poll();
        assert!(counts.queued == 1 || poll.is_ready(), "{counts:?}");
        other.join().unwrap();
        let poll = if poll.is_pending() { waiter.poll() } else { poll };
        assert!(matches!(poll, Poll::Ready(Ok(_))));
        drop(poll);
        assert_idle(&bulkhead);
    });
}

/// BH-04: the same when the wait ends: it is rejected only if no permit was free yet.
#[test]
fn the_end_of_a_wait_against_give_back() {
    const WAIT: Duration = Duration::from_secs(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let runtime = Arc::new(runtime);
    let outcomes = Arc::new([StdAtomicUsize::new(0), StdAtomicUsize::new(0)]);
    let seen = Arc::clone(&outcomes);
    explore(TWO, move || {
        let bulkhead = Bulkhead::builder("x").limit(1).max_wait(WAIT).build().unwrap();
        let permit = bulkhead.try_acquire().unwrap();
        let mut waiter = {
            let _clock = runtime.enter();
            Waiter::queued(&bulkhead)
        };
        // Nothing else runs meanwhile: the model has one thread so far.
        runtime.block_on(tokio::time::advance(WAIT));
        assert!(waiter.is_woken());
        let freed = Arc::new(AtomicBool::new(false));
        let tell = Arc::clone(&freed);
        let other = spawn(&bulkhead, move |_| {
            drop(permit);
            tell.store(true, Ordering::Release);
        });
        let granted = bulkhead.queued() == 0 || freed.load(Ordering::Acquire);
        let Poll::Ready(result) = waiter.poll() else { panic!("the wait is over") };
        assert!(result.is_ok() || !granted);
        seen[usize::from(result.is_ok())].fetch_add(1, StdOrdering::Relaxed);
        other.join().unwrap();
        drop(result);
        assert_idle(&bulkhead);
    });
    // Both outcomes were seen, so the claim above is not empty.
    assert!(outcomes.iter().all(|outcome| outcome.load(StdOrdering::Relaxed) > 0), "{outcomes:?}");
}

/// BH-07: raising the limit is not lost on a caller that starts to wait.
#[test]
fn set_limit_up_against_wait() {
    explore(TWO, || {
        let bulkhead = patient(1);
        let permit = bulkhead.try_acquire().unwrap();
        let other = spawn(&bulkhead, |bulkhead| block_on(bulkhead.acquire()).unwrap());
        bulkhead.set_limit(2).unwrap();
        let second = other.join().unwrap();
        assert_eq!((bulkhead.in_use(), bulkhead.limit(), bulkhead.available()), (2, 2, 0));
        drop((permit, second));
        assert_idle(&bulkhead);
    });
}

/// BH-07: lowering the limit while one permit is released and another taken: in the end the counts are right, and no
/// more calls are in than the last limit allows.
#[test]
fn set_limit_down_against_take_and_give_back() {
    explore(THREE, || {
        let bulkhead = patient(2);
        let permit = bulkhead.try_acquire().unwrap();
        let taker = spawn(&bulkhead, |bulkhead| bulkhead.try_acquire());
        let changer = spawn(&bulkhead, |bulkhead| bulkhead.set_limit(1).unwrap());
        drop(permit);
        changer.join().unwrap();
        let second = taker.join().unwrap();
        assert!(bulkhead.in_use() <= 1);
        assert_eq!((bulkhead.try_acquire().is_ok(), bulkhead.limit()), (second.is_err(), 1));
        drop(second);
        assert_idle(&bulkhead);
    });
}

/// BH-07: two limits set at the same time: one of them holds, and waiters get what it allows.
#[test]
fn two_limits_against_each_other() {
    explore(TWO, || {
        let bulkhead = patient(1);
        let permit = bulkhead.try_acquire().unwrap();
        let mut waiters = [Waiter::queued(&bulkhead), Waiter::queued(&bulkhead)];
        let other = spawn(&bulkhead, |bulkhead| bulkhead.set_limit(2).unwrap());
        bulkhead.set_limit(3).unwrap();
        other.join().unwrap();
        let counts = bulkhead.snapshot();
        // Either limit admits the first waiter; the second gets in only if 3 was set, first or last.
        assert!((2..=3).contains(&counts.limit));
        assert_eq!(counts.in_use + counts.queued, 3);
        assert!(counts.in_use >= counts.limit);
        let served = waiters.iter_mut().map(|waiter| waiter.poll()).collect::<Vec<_>>();
        assert!(matches!(served[0], Poll::Ready(Ok(_))));
        assert_eq!(served[1].is_ready(), counts.queued == 0);
        drop((permit, served, waiters));
        assert_idle(&bulkhead);
    });
}

/// Adds up the events that it observes.
#[derive(Clone, Default)]
struct Sums(Arc<[StdAtomicIsize; 2]>);

impl Sums {
    fn inside_and_waiting(&self) -> (isize, isize) {
        (self.0[0].load(StdOrdering::Relaxed), self.0[1].load(StdOrdering::Relaxed))
    }

    fn add(&self, inside: isize, waiting: isize) {
        self.0[0].fetch_add(inside, StdOrdering::Relaxed);
        self.0[1].fetch_add(waiting, StdOrdering::Relaxed);
    }
}

impl Observer for Sums {
    fn on_event(&self, event: &Event<'_>) {
        match event {
            Event::Bulkhead(BulkheadEvent::Acquired { .. }) => self.add(1, 0),
            Event::Bulkhead(BulkheadEvent::Queued { .. }) => self.add(0, 1),
            Event::Bulkhead(BulkheadEvent::Granted { .. }) => self.add(1, -1),
            Event::Bulkhead(BulkheadEvent::Released { .. }) => self.add(-1, 0),
            Event::Bulkhead(BulkheadEvent::Left { .. }) => self.add(0, -1),
            _ => {}
        }
    }

    fn interest(&self) -> seaworthy::observe::Interest {
        seaworthy::observe::Interest::Calls
    }
}

/// ME-03: each step is reported once, whichever thread takes it: the sum of the events is what the handle says.
#[test]
fn steps_told_against_each_other() {
    explore(THREE, || {
        let sums = Sums::default();
        let builder = Bulkhead::builder("x").limit(2).max_wait(Duration::MAX).observer(sums.clone());
        let bulkhead = builder.build().unwrap();
        let [one, two] = [bulkhead.try_acquire().unwrap(), bulkhead.try_acquire().unwrap()];
        let first = Waiter::queued(&bulkhead);
        let mut second = Waiter::queued(&bulkhead);
        assert_eq!(sums.inside_and_waiting(), (2, 2));
        let others = [spawn(&bulkhead, move |_| drop(one)), spawn(&bulkhead, move |_| drop(first))];
        drop(two);
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!(sums.inside_and_waiting(), (1, 0));
        let Poll::Ready(Ok(permit)) = second.poll() else { panic!("a permit is its own") };
        let other = spawn(&bulkhead, |bulkhead| drop(bulkhead.try_acquire()));
        drop(permit);
        other.join().unwrap();
        assert_eq!(sums.inside_and_waiting(), (0, 0));
        assert_idle(&bulkhead);
    });
}
