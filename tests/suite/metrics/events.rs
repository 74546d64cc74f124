use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use seaworthy::observe::Interest;
use seaworthy::{
    Backoff, BoxError, Bulkhead, CircuitBreaker, Event, Observer, OnDrop, Rejected, RetryBudget, RetryPolicy,
    TracingObserver, Verdict,
};
use tokio_test::{assert_pending, assert_ready, task};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_test::mock;

use super::Diary;
use crate::support::{MS, SECOND, advance, settle};

fn circuit_breaker(diary: &Diary) -> CircuitBreaker {
    CircuitBreaker::builder("c").consecutive_failures(2).open_for(SECOND).observer(diary.clone()).build().unwrap()
}

/// ME-02: each admitted call is reported once, with its verdict and its duration; a rejected call is not.
#[tokio::test(start_paused = true)]
async fn each_verdict_of_a_circuit() {
    let diary = Diary::new(true);
    let circuit_breaker = circuit_breaker(&diary);
    for (verdict, millis) in
        [(Verdict::Success, 0), (Verdict::Ignored, 1), (Verdict::Throttled, 2), (Verdict::Failure, 3)]
    {
        let permit = circuit_breaker.admit().unwrap();
        advance(millis * MS).await;
        permit.settle(verdict);
    }
    assert_eq!(diary.take(), ["c built", "c Success 0ns", "c Ignored 1ms", "c Throttled 2ms", "c Failure 3ms"]);
    settle(&circuit_breaker, &[Verdict::Failure]);
    assert!(circuit_breaker.admit().is_err());
    assert_eq!(diary.take(), ["c closed open", "c Failure 0ns", "c rejected"]);
    advance(SECOND).await;
    settle(&circuit_breaker, &[Verdict::Success]);
    assert_eq!(diary.take(), ["c open half-open", "c half-open closed", "c Success 0ns"]);
    // A clone is the same circuit breaker; dropping the last handle reports its end.
    drop(circuit_breaker.clone());
    assert_eq!(diary.take(), [""; 0]);
    circuit_breaker.force_open();
    drop(circuit_breaker);
    assert_eq!(diary.take(), ["c closed open", "c dropped open"]);
}

/// ME-02: dropped, panicking and late calls are reported once, too.
#[tokio::test(start_paused = true)]
async fn calls_that_do_not_end_well() {
    let diary = Diary::new(true);
    let circuit_breaker = circuit_breaker(&diary);
    diary.take();
    drop(circuit_breaker.admit().unwrap());
    assert_eq!(diary.take(), ["c Ignored 0ns"]);
    let panics = async { panic!("on purpose") };
    let run = task::spawn(circuit_breaker.run::<_, (), BoxError>(panics));
    let run = std::sync::Mutex::new(run);
    assert!(catch_unwind(AssertUnwindSafe(|| run.lock().unwrap().poll())).is_err());
    assert_eq!(diary.take(), ["c Failure 0ns"]);
    drop(run.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner));
    assert_eq!(diary.take(), [""; 0]);
    // A call that panics when it is made.
    let mut service = circuit_breaker.layer().layer(service_fn(|(): ()| -> std::future::Ready<Result<(), BoxError>> {
        panic!("on purpose");
    }));
    let _ready = service.ready().await.unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(service.call(())))).is_err());
    assert_eq!(diary.take(), ["c closed open", "c Failure 0ns"]);
    circuit_breaker.reset();
    // Late: it changes nothing, and its duration is what it was.
    let late = circuit_breaker.admit().unwrap();
    circuit_breaker.force_open();
    advance(SECOND).await;
    late.settle(Verdict::Success);
    assert_eq!(diary.take(), ["c open closed", "c closed open", "c Success 1s"]);
    let dropped_is_failed =
        CircuitBreaker::builder("d").on_drop(OnDrop::Failure).observer(diary.clone()).build().unwrap();
    drop(dropped_is_failed.admit().unwrap());
    assert_eq!(diary.take(), ["d built", "d Failure 0ns"]);
}

/// ME-02: a failed `poll_ready` is reported, and no call is.
#[tokio::test(start_paused = true)]
async fn an_inner_service_that_is_not_ready() {
    let diary = Diary::new(true);
    let (inner, mut handle) = mock::pair::<(), ()>();
    handle.send_error("broken");
    let mut service = circuit_breaker(&diary).layer().layer(inner);
    assert!(service.ready().await.is_err());
    assert_eq!(diary.take(), ["c built", "c not ready"]);
}

/// ME-03: each step of a bulkhead's caller is reported once; a granted permit by the call that released it.
#[tokio::test(start_paused = true)]
async fn each_step_through_a_bulkhead() {
    let diary = Diary::new(true);
    let bulkhead = Bulkhead::builder("b").limit(1).max_wait(SECOND).observer(diary.clone()).build().unwrap();
    let held = bulkhead.try_acquire().unwrap();
    assert_eq!(diary.take(), ["b has 1 for 0", "b acquired"]);
    let mut first = task::spawn(bulkhead.acquire());
    let mut second = task::spawn(bulkhead.acquire());
    let mut third = task::spawn(bulkhead.acquire());
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    assert_pending!(third.poll());
    assert!(bulkhead.try_acquire().is_err());
    assert_eq!(diary.take(), ["b queued", "b queued", "b queued", "b rejected"]);
    drop(held);
    assert_eq!(diary.take(), ["b released", "b granted"]);
    // It has the permit already: noticing is not a step.
    let first = assert_ready!(first.poll()).unwrap();
    assert_eq!(diary.take(), [""; 0]);
    drop(second);
    assert_eq!(diary.take(), ["b left"]);
    advance(SECOND).await;
    assert!(assert_ready!(third.poll()).is_err());
    assert_eq!(diary.take(), ["b left", "b rejected"]);
    // Granted and dropped before it noticed.
    let mut fourth = task::spawn(bulkhead.acquire());
    assert_pending!(fourth.poll());
    bulkhead.set_limit(2).unwrap();
    bulkhead.set_limit(2).unwrap();
    assert_eq!(diary.take(), ["b queued", "b has 2 for 1", "b granted"]);
    drop(fourth);
    drop(first);
    assert_eq!(diary.take(), ["b released", "b released"]);
    assert_eq!((bulkhead.in_use(), bulkhead.queued()), (0, 0));
    // Through a service, with inner ready and without.
    let service = bulkhead.layer().layer(service_fn(async |(): ()| Ok::<_, BoxError>(())));
    service.clone().oneshot(()).await.unwrap();
    assert_eq!(diary.take(), ["b acquired", "b released"]);
    drop((service, third, bulkhead));
    assert_eq!(diary.take(), ["b has 0 for 2"]);
}

fn policy(diary: &Diary, budget: RetryBudget) -> RetryPolicy {
    let builder = RetryPolicy::builder("r").attempts(3).backoff(Backoff::constant(Duration::ZERO));
    builder.budget(budget).observer(diary.clone()).build().unwrap()
}

/// ME-04: each request, each retry and each end of retrying is reported once, with the budget at that time.
#[tokio::test(start_paused = true)]
async fn each_step_of_a_retry() {
    let diary = Diary::new(true);
    let budget = RetryBudget::builder().ratio(1.0).floor(2).refill_per_second(0).build().unwrap();
    let policy = policy(&diary, budget);
    policy.run(async || Ok::<_, BoxError>(())).await.unwrap();
    assert_eq!(diary.take(), ["r built Some(2)", "r began Some(3)"]);
    assert!(policy.run(async || Err::<(), BoxError>("down".into())).await.is_err());
    let steps = ["r began Some(4)", "r retried Some(3)", "r retried Some(2)"];
    assert_eq!(diary.take(), [&steps[..], &["r stopped: attempts exhausted Some(2)"]].concat());
    let free = RetryPolicy::builder("f").no_budget().observer(diary.clone()).build().unwrap();
    free.run(async || Ok::<_, BoxError>(())).await.unwrap();
    let failure =
        || async { Err::<(), BoxError>(Rejected::NotReady { reason: "x".into(), retry_after: None.into() }.into()) };
    assert!(free.run(failure).await.is_err());
    assert_eq!(diary.take(), ["f built None", "f began None", "f began None", "f stopped: not retryable None"]);
}

/// ME-05: an observer that does not want events of calls gets the same events as before.
#[tokio::test(start_paused = true)]
async fn who_does_not_want_calls() {
    let diary = Diary::new(false);
    let circuit_breaker = circuit_breaker(&diary);
    settle(&circuit_breaker, &[Verdict::Success, Verdict::Failure, Verdict::Failure]);
    assert!(circuit_breaker.admit().is_err());
    drop(circuit_breaker);
    assert_eq!(diary.take(), ["c closed open", "c rejected"]);
    let bulkhead = Bulkhead::builder("b").limit(1).observer(diary.clone()).build().unwrap();
    let held = bulkhead.try_acquire();
    assert!(bulkhead.try_acquire().is_err());
    drop((held, bulkhead));
    assert_eq!(diary.take(), ["b rejected"]);
    let policy = policy(&diary, RetryBudget::default());
    policy.run(async || Ok::<_, BoxError>(())).await.unwrap();
    assert_eq!(diary.take(), [""; 0]);
}

/// ME-05: each of several observers gets the events it wants, whatever the others want or do.
#[tokio::test(start_paused = true)]
async fn several_observers() {
    struct Panics(Arc<AtomicU32>);
    impl Observer for Panics {
        fn on_event(&self, _: &Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
            panic!("on purpose");
        }
    }
    let (all, some, panics) = (Diary::new(true), Diary::new(false), Arc::<AtomicU32>::default());
    let observer: Arc<dyn Observer> =
        Arc::new((Panics(Arc::clone(&panics)), some.clone(), (TracingObserver, all.clone())));
    assert!(observer.interest() == Interest::Calls && (TracingObserver, some.clone()).interest() == Interest::Changes);
    let circuit_breaker = CircuitBreaker::builder("c").consecutive_failures(1).observer(observer).build().unwrap();
    settle(&circuit_breaker, &[Verdict::Success, Verdict::Failure]);
    assert_eq!(all.take(), ["c built", "c Success 0ns", "c closed open", "c Failure 0ns"]);
    assert_eq!(some.take(), ["c closed open"]);
    assert_eq!(panics.load(Ordering::Relaxed), 1);
}

/// ME-05: an observer may use the handle whose event it gets, and its panic costs no permit, no verdict and no attempt.
#[tokio::test(start_paused = true)]
async fn observers_that_panic_or_look() {
    #[derive(Clone, Default)]
    struct Panics(Arc<AtomicU32>);
    impl Observer for Panics {
        fn on_event(&self, _: &Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
            panic!("on purpose");
        }
        fn interest(&self) -> Interest {
            Interest::Calls
        }
    }
    let panics = Panics::default();
    let circuit_breaker =
        CircuitBreaker::builder("c").consecutive_failures(2).observer(panics.clone()).build().unwrap();
    settle(&circuit_breaker, &[Verdict::Failure]);
    assert_eq!(circuit_breaker.snapshot().counts.consecutive_failures, 1);
    let bulkhead = Bulkhead::builder("b").limit(1).max_wait(SECOND).observer(panics.clone()).build().unwrap();
    let held = bulkhead.try_acquire().unwrap();
    let mut waits = task::spawn(bulkhead.acquire());
    assert_pending!(waits.poll());
    drop(held);
    drop(assert_ready!(waits.poll()).unwrap());
    assert_eq!((bulkhead.in_use(), bulkhead.queued(), bulkhead.available()), (0, 0, 1));
    let policy = RetryPolicy::builder("r").observer(panics.clone()).build().unwrap();
    assert_eq!(policy.run(async || Ok::<_, BoxError>(7)).await.unwrap(), 7);
    let told = panics.0.load(Ordering::Relaxed);
    // Built, settled; sized, taken, queued, given back, granted, given back; built, began.
    assert_eq!(told, 2 + 6 + 2);
}

/// Pending for ever, and ready for more calls.
#[derive(Clone)]
struct Silent;

impl Service<()> for Silent {
    type Response = ();
    type Error = BoxError;
    type Future = std::future::Pending<Result<(), BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        std::future::pending()
    }
}

/// ME-02, ME-03: a call that is dropped while it runs has been settled, and has left.
#[tokio::test(start_paused = true)]
async fn dropped_in_the_middle() {
    let diary = Diary::new(true);
    let bulkhead = Bulkhead::builder("b").observer(diary.clone()).build().unwrap();
    let circuit_breaker = circuit_breaker(&diary);
    let mut call = task::spawn(circuit_breaker.layer().layer(bulkhead.layer().layer(Silent)).oneshot(()));
    assert_pending!(call.poll());
    advance(SECOND).await;
    diary.take();
    drop(call);
    let mut lines = diary.take();
    lines.sort();
    assert_eq!(lines, ["b released", "c Ignored 1s"]);
}
