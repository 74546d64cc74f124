use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use seaworthy::{BoxError, Bulkhead, CircuitBreaker, Status};
use seaworthy_queue::{Consumer, Delivery};
use tower::{Layer, ServiceBuilder};

use super::{Calls, Number, Running, SECOND, enqueue, noted, pass, queue};

/// QU-12, IN-05: while no clone of the service is ready, or no slot is free, the source is not asked.
#[tokio::test(start_paused = true)]
async fn nothing_is_taken_before_there_is_room() {
    let (jobs, spy) = queue();
    enqueue(&jobs, 0..3).await;
    let is_ready = Arc::new(AtomicBool::new(false));
    let ready = Arc::clone(&is_ready);
    let calls = Calls::new();
    let service = ServiceBuilder::new().layer_fn(|inner| Gated { inner, ready: Arc::clone(&ready) });
    let service = service.service(noted(&calls, |_, _| async { Ok(()) }));
    let slots = Bulkhead::builder("slots").limit(2).build().unwrap();
    let running = Running::start(Consumer::new(jobs.clone()).slots(slots.clone()).service(service));
    pass(60).await;
    assert_eq!((spy.count(), calls.len()), (0, 0));
    let both = (slots.try_acquire(), slots.try_acquire());
    assert!(both.0.is_ok());
    is_ready.store(true, Ordering::Relaxed);
    drop(both);
    pass(10).await;
    assert_eq!(calls.len(), 3);
    running.end().await;
}

#[derive(Clone)]
struct Gated<S> {
    inner: S,
    ready: Arc<AtomicBool>,
}

impl<S: tower::Service<Delivery<Number>>> tower::Service<Delivery<Number>> for Gated<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Result<(), S::Error>> {
        if self.ready.load(Ordering::Relaxed) {
            return self.inner.poll_ready(cx);
        }
        // Looks again by itself.
        let waker = cx.waker().clone();
        tokio::spawn(async move {
            tokio::time::sleep(SECOND).await;
            waker.wake();
        });
        Poll::Pending
    }

    fn call(&mut self, job: Delivery<Number>) -> S::Future {
        self.inner.call(job)
    }
}

/// QU-13: a check that is down takes nothing, and its return is noticed within 250 ms.
#[tokio::test(start_paused = true)]
async fn a_check_is_a_gate() {
    let (jobs, spy) = queue();
    enqueue(&jobs, 0..3).await;
    let is_up = Arc::new(AtomicBool::new(false));
    let check = Arc::clone(&is_up);
    let calls = Calls::new();
    let consumer = Consumer::new(jobs.clone()).require(move || Status::from(check.load(Ordering::Relaxed)));
    let running = Running::start(consumer.service(noted(&calls, |_, _| async { Ok(()) })));
    pass(60).await;
    assert_eq!((spy.count(), calls.len()), (0, 0));
    is_up.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(251)).await;
    assert_eq!(calls.len(), 3);
    running.end().await;
}

/// QU-13, QU-14, IN-05: a backend that is away for 10 minutes costs at most concurrency + 20 deliveries of 1,000 waiting
/// jobs at an open time of 30 s, and no job dies; when it is back all are done.
#[tokio::test(start_paused = true)]
async fn an_outage_spends_no_attempts() {
    let (jobs, spy) = queue();
    enqueue(&jobs, 0..1_000).await;
    let circuit = CircuitBreaker::builder("backend").consecutive_failures(5).open_for(30 * SECOND).build().unwrap();
    let is_up = Arc::new(AtomicBool::new(false));
    let backend = Arc::clone(&is_up);
    let calls = Calls::new();
    let work = noted(&calls, move |_, _| {
        let is_up = backend.load(Ordering::Relaxed);
        async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if is_up { Ok::<_, BoxError>(()) } else { Err("the backend is away".into()) }
        }
    });
    let consumer = Consumer::new(jobs.clone()).gate(circuit.clone()).service(circuit.layer().layer(work));
    let running = Running::start(consumer);
    pass(600).await;
    assert!((6..=10 + 20).contains(&calls.len()), "{}", calls.len());
    is_up.store(true, Ordering::Relaxed);
    pass(60).await;
    let depth = jobs.depth().await.unwrap();
    assert_eq!((depth.ready, depth.later, depth.running, depth.dead), (0, 0, 0, 0), "{} receives", spy.count());
    running.end().await;
}

/// DR-15: 60 s without the backend and 1,000 jobs waiting: concurrency + 2 deliveries at most, and all are done within 60 s
/// of its return.
#[tokio::test(start_paused = true)]
async fn a_minute_without_the_backend() {
    let (jobs, _) = queue();
    enqueue(&jobs, 0..1_000).await;
    let circuit = CircuitBreaker::builder("backend").consecutive_failures(5).open_for(30 * SECOND).build().unwrap();
    let (calls, back) = (Calls::new(), tokio::time::Instant::now() + 60 * SECOND);
    let work = noted(&calls, move |_, _| async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if tokio::time::Instant::now() >= back { Ok::<_, BoxError>(()) } else { Err("the backend is away".into()) }
    });
    let consumer = Consumer::new(jobs.clone()).gate(circuit.clone()).service(circuit.layer().layer(work));
    let running = Running::start(consumer);
    tokio::time::sleep_until(back).await;
    assert!((5..=12).contains(&calls.len()), "{}", calls.len());
    assert!(calls.all().iter().all(|(_, attempt, _)| *attempt == 1));
    pass(60).await;
    let depth = jobs.depth().await.unwrap();
    assert_eq!((depth.ready, depth.later, depth.running, depth.dead), (0, 0, 0, 0));
    running.end().await;
}

/// QU-12, QU-13: a service that was made ready while its circuit was open, when that meant ready to refuse, is asked anew
/// before it is used, also for a look that was under way: no job after that is refused, with a gate and without one.
#[tokio::test(start_paused = true)]
async fn readiness_is_not_kept_beyond_its_reason() {
    for is_gated in [true, false] {
        let (jobs, spy) = queue();
        let circuit = CircuitBreaker::builder("backend").open_for(1_000 * SECOND).build().unwrap();
        let held = circuit.hold_open();
        let calls = Calls::new();
        let service = circuit.layer().layer(noted(&calls, |_, _| async { Ok::<_, BoxError>(()) }));
        let consumer = Consumer::new(jobs.clone());
        let consumer = if is_gated { consumer.gate(circuit.clone()) } else { consumer };
        let running = Running::start(consumer.service(service));
        pass(10).await;
        assert_eq!(spy.count() == 0, is_gated);
        drop(held);
        circuit.reset();
        enqueue(&jobs, 0..10).await;
        pass(1).await;
        assert_eq!((calls.len(), spy.settles.load(Ordering::Relaxed)), (10, 10), "gated: {is_gated}");
        running.end().await;
    }
}

/// QU-37: a consumer that is paused takes nothing, and what runs goes on.
#[tokio::test(start_paused = true)]
async fn paused() {
    let (jobs, _) = queue();
    enqueue(&jobs, 0..1).await;
    let calls = Calls::new();
    let service = noted(&calls, |_, _| async {
        pass(10).await;
        Ok(())
    });
    let consumer = Consumer::new(jobs.clone()).service(service);
    let handle = consumer.handle();
    let running = Running::start(consumer);
    pass(1).await;
    handle.pause();
    // The look that was under way.
    pass(2).await;
    enqueue(&jobs, 1..3).await;
    pass(2).await;
    assert_eq!((calls.len(), handle.running(), handle.is_paused()), (1, 1, true));
    pass(20).await;
    assert_eq!((calls.len(), handle.running()), (1, 0));
    handle.resume();
    pass(1).await;
    assert_eq!(calls.len(), 3);
    running.end().await;
}

/// QU-34: the slots can be resized while the consumer runs, and are shown by their bulkhead.
#[tokio::test(start_paused = true)]
async fn resized() {
    let (jobs, _) = queue();
    enqueue(&jobs, 0..10).await;
    let calls = Calls::new();
    let slots = Bulkhead::builder("slots").limit(2).build().unwrap();
    let service = noted(&calls, |_, _| async {
        pass(100).await;
        Ok(())
    });
    let running = Running::start(Consumer::new(jobs.clone()).slots(slots.clone()).service(service));
    pass(10).await;
    assert_eq!((calls.len(), slots.in_use()), (2, 2));
    slots.set_limit(5).unwrap();
    pass(10).await;
    assert_eq!((calls.len(), slots.in_use()), (5, 5));
    slots.set_limit(1).unwrap();
    pass(85).await;
    // All five have ended, and one is at work at a time.
    pass(20).await;
    assert_eq!((calls.len(), slots.in_use()), (6, 1));
    running.end().await;
}

/// QU-42: the number of dead letters is a check.
#[tokio::test(start_paused = true)]
async fn dead_letters_are_a_check() {
    let (jobs, _) = queue();
    enqueue(&jobs, 0..2).await;
    let check = jobs.dead().at_most(1);
    let calls = Calls::new();
    let service = noted(&calls, |_, _| async { Err::<(), BoxError>(seaworthy_queue::JobError::dead("no").into()) });
    let consumer = Consumer::new(jobs.clone()).concurrency(1).service(service);
    assert!(check.run().await.is_up());
    let running = Running::start(consumer);
    pass(5).await;
    let status = check.run().await;
    assert_eq!(status.reason().map(|reason| reason.as_str()), Some("2 dead letters, where 1 are the most"));
    running.end().await;
}
