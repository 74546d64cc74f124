//! ER-09: wakers that panic when they are woken.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use seaworthy::circuit_breaker::TransitionCause;
use seaworthy::{AsyncCheck, BoxError, Bulkhead, CircuitBreaker, Health, Phase, Shutdown, State, Status};
use tokio_test::task;
use tower::Service;

use crate::support::{Line, SECOND, Told};

/// Panics, and counts how often it was woken.
#[derive(Debug, Default)]
struct Panics(AtomicUsize);

impl Wake for Panics {
    fn wake(self: Arc<Panics>) {
        panic!("woken {}", self.0.fetch_add(1, Ordering::Relaxed));
    }
}

impl Panics {
    fn new() -> (Arc<Panics>, Waker) {
        let panics = Arc::new(Panics::default());
        (Arc::clone(&panics), Waker::from(panics))
    }

    fn woken(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

fn poll<F: Future>(future: Pin<&mut F>, waker: &Waker) {
    assert!(future.poll(&mut Context::from_waker(waker)).is_pending());
}

/// ER-09: each waiter that was granted a permit is woken, and in the end all permits are back.
#[tokio::test(start_paused = true)]
async fn a_bulkheads_queue() {
    let bulkhead = Bulkhead::builder("ship").limit(1).max_wait(SECOND).build().unwrap();
    let held = bulkhead.try_acquire().unwrap();
    let (panics, waker) = Panics::new();
    let mut first = Box::pin(bulkhead.acquire());
    poll(first.as_mut(), &waker);
    let mut others = [(); 2].map(|()| task::spawn(bulkhead.acquire()));
    others.iter_mut().for_each(|other| assert!(other.poll().is_pending()));
    bulkhead.set_limit(3).unwrap();
    assert_eq!((panics.woken(), others.each_ref().map(|other| other.is_woken())), (1, [true, false]));
    // One that was granted a permit and never takes it leaves it to the next.
    drop(first);
    assert!(others[1].is_woken());
    let taken = others.map(|mut other| match other.poll() {
        std::task::Poll::Ready(Ok(permit)) => permit,
        other => panic!("{other:?}"),
    });
    assert_eq!(bulkhead.in_use(), 3);
    drop((taken, held));
    assert_eq!((bulkhead.available(), bulkhead.queued()), (3, 0));
}

/// ER-09: a call that releases a permit is not affected by the waker of a waiter.
#[tokio::test(start_paused = true)]
async fn a_slot_that_is_given_back() {
    let bulkhead = Bulkhead::builder("ship").limit(1).max_wait(SECOND).build().unwrap();
    let held = bulkhead.try_acquire().unwrap();
    let (panics, waker) = Panics::new();
    let mut waits = Box::pin(bulkhead.acquire());
    poll(waits.as_mut(), &waker);
    drop(held);
    assert_eq!((panics.woken(), bulkhead.in_use()), (1, 1));
    drop(waits);
    assert_eq!(bulkhead.available(), 1);
}

/// ER-09: all that wait for a circuit are woken, and the change is reported.
#[tokio::test(start_paused = true)]
async fn a_circuits_waiters() {
    let told = Told::default();
    let circuit_breaker = told.by(CircuitBreaker::builder("ship")).build().unwrap();
    circuit_breaker.force_open();
    told.take();
    let service = tower::service_fn(|(): ()| std::future::ready(Ok::<_, BoxError>(())));
    let layer = circuit_breaker.layer().wait();
    let mut services = [(); 3].map(|()| tower::Layer::layer(&layer, service));
    let (panics, panicking) = Panics::new();
    assert!(services[0].poll_ready(&mut Context::from_waker(&panicking)).is_pending());
    let [_, second, third] = &mut services;
    let mut others = [second, third].map(|service| task::spawn(std::future::poll_fn(|cx| service.poll_ready(cx))));
    others.iter_mut().for_each(|other| assert!(other.poll().is_pending()));
    circuit_breaker.reset();
    assert_eq!(panics.woken(), 1);
    others.iter().for_each(|other| assert!(other.is_woken()));
    assert_eq!(told.take(), [Line::Changed(State::Open, State::Closed, TransitionCause::Reset)]);
}

/// ER-09: all that wait for a check get its answer.
#[tokio::test(start_paused = true)]
async fn those_who_wait_for_a_check() {
    let answer = Arc::new(tokio::sync::Notify::new());
    let awaited = Arc::clone(&answer);
    let check = AsyncCheck::new(move || {
        let awaited = Arc::clone(&awaited);
        async move {
            awaited.notified().await;
            Ok::<(), BoxError>(())
        }
    });
    let (panics, waker) = Panics::new();
    let mut first = pin!(check.run());
    poll(first.as_mut(), &waker);
    let mut others = [(); 2].map(|()| task::spawn(check.run()));
    others.iter_mut().for_each(|other| assert!(other.poll().is_pending()));
    answer.notify_one();
    assert_eq!(panics.woken(), 1);
    for other in &mut others {
        assert!(other.is_woken());
        assert_eq!(other.poll(), std::task::Poll::Ready(Status::Up));
    }
}

/// ER-09: a shutdown reaches all that wait for it, and its children.
#[test]
fn a_shutdown() {
    let (trigger, shutdown) = Shutdown::new();
    let (_own, child) = shutdown.child();
    let (panics, waker) = Panics::new();
    let mut first = pin!(shutdown.requested());
    poll(first.as_mut(), &waker);
    let mut others = [task::spawn(shutdown.clone().requested_owned()), task::spawn(child.requested_owned())];
    others.iter_mut().for_each(|other| assert!(other.poll().is_pending()));
    trigger.fire();
    assert_eq!(panics.woken(), 1);
    others.iter().for_each(|other| assert!(other.is_woken()));
}

/// ER-09: all that wait for the last request are woken, and the request is not affected.
#[test]
fn those_who_wait_for_requests() {
    let health = Health::new();
    health.advance(Phase::Serving);
    let request = health.admit().unwrap();
    let (panics, waker) = Panics::new();
    let mut first = pin!(health.idle());
    poll(first.as_mut(), &waker);
    let mut other = task::spawn(health.idle());
    assert!(other.poll().is_pending());
    drop(request);
    assert_eq!(panics.woken(), 1);
    assert!(other.is_woken() && other.poll().is_ready());
}

/// ER-09: a call that stops a runner is not affected by the waker of its run.
#[cfg(feature = "lifecycle")]
#[tokio::test(start_paused = true)]
async fn a_runner() {
    let runner = seaworthy::Runner::builder().signals([]).build().unwrap();
    let handle = runner.handle();
    let mut run = pin!(runner.run());
    let (panics, waker) = Panics::new();
    poll(run.as_mut(), &waker);
    handle.stop();
    assert_eq!(panics.woken(), 1);
    assert!(run.await.is_ok());
}
