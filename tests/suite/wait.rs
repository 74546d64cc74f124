//! CB-20, CB-31: services that wait while their circuit breaker would reject.

mod order;

use std::future::{Ready, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use seaworthy::circuit_breaker::{CircuitBreakerBuilder, CircuitBreakerService, Permit};
use seaworthy::{Backoff, BoxError, CircuitBreaker, Jitter, Rejected, RetryAfter, StackError, State, Verdict};
use tokio::task::JoinSet;
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};
use tower::{Layer, Service};
use tower_test::mock;

use crate::support::{MS, SECOND, advance, settle};

const OPEN: Duration = SECOND;
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Always ready; shows how often it was asked and how often it was called.
#[derive(Clone, Debug, Default)]
struct Inner {
    asked: Arc<AtomicUsize>,
    called: Arc<AtomicUsize>,
}

impl Inner {
    fn touched(&self) -> (usize, usize) {
        (self.asked.load(Ordering::Relaxed), self.called.load(Ordering::Relaxed))
    }
}

impl Service<()> for Inner {
    type Response = ();
    type Error = BoxError;
    type Future = Ready<Result<(), BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        self.called.fetch_add(1, Ordering::Relaxed);
        ready(Ok(()))
    }
}

type Waiter = task::Spawn<CircuitBreakerService<Inner>>;

fn builder() -> CircuitBreakerBuilder {
    CircuitBreaker::builder("wait").consecutive_failures(1).open_for(OPEN)
}

fn opened(builder: CircuitBreakerBuilder) -> CircuitBreaker {
    let circuit_breaker = builder.build().unwrap();
    settle(&circuit_breaker, &[Verdict::Failure]);
    assert_eq!(circuit_breaker.state(), State::Open);
    circuit_breaker
}

/// A circuit breaker whose only probe is in flight.
async fn probed(builder: CircuitBreakerBuilder) -> (CircuitBreaker, Permit) {
    let circuit_breaker = opened(builder);
    advance(OPEN).await;
    let probe = circuit_breaker.admit().unwrap();
    assert!(probe.is_probe());
    (circuit_breaker, probe)
}

fn waiter(circuit_breaker: &CircuitBreaker) -> Waiter {
    task::spawn(circuit_breaker.layer().wait().layer(Inner::default()))
}

/// A service that is waiting.
fn waiting(circuit_breaker: &CircuitBreaker) -> Waiter {
    let mut waiter = waiter(circuit_breaker);
    assert_pending!(poll(&mut waiter));
    assert!(!waiter.is_woken());
    waiter
}

fn poll(waiter: &mut Waiter) -> Poll<Result<(), BoxError>> {
    waiter.enter(|cx, mut service| service.poll_ready(cx))
}

/// Woken, and rightly so.
fn assert_freed(waiter: &mut Waiter) {
    assert!(waiter.is_woken());
    assert_ready_ok!(poll(waiter));
}

/// Woken because something changed, and waiting again.
fn assert_parked_again(waiter: &mut Waiter) {
    assert!(waiter.is_woken());
    assert_pending!(poll(waiter));
    assert!(!waiter.is_woken());
}

/// CB-20: Pending while open, with the inner service untouched, and woken by a timer at the end of the open time, not
/// before. A woken service is not a probe yet.
#[tokio::test(start_paused = true)]
async fn cb_20_the_end_of_the_open_time() {
    let circuit_breaker = opened(builder());
    let mut waiter = waiting(&circuit_breaker);
    advance(OPEN - MS).await;
    assert!(!waiter.is_woken());
    // Asked without having been woken, it goes on waiting.
    assert_pending!(poll(&mut waiter));
    assert_eq!((waiter.get_ref().touched(), circuit_breaker.snapshot().rejected), ((0, 0), 0));
    advance(MS).await;
    assert_freed(&mut waiter);
    assert_eq!((waiter.get_ref().touched(), circuit_breaker.state()), ((1, 0), State::Open));
    assert_ready_ok!(task::spawn(waiter.call(())).poll());
    assert_eq!((waiter.get_ref().touched(), circuit_breaker.state()), ((1, 1), State::Closed));
}

/// CB-20: The wait is for the rest of the open time, not for a whole one.
#[tokio::test(start_paused = true)]
async fn cb_20_one_who_comes_late() {
    let circuit_breaker = opened(builder());
    advance(OPEN - MS).await;
    let mut waiter = waiting(&circuit_breaker);
    advance(MS).await;
    assert_freed(&mut waiter);
    // One that comes when the time is over does not wait at all.
    assert_ready_ok!(poll(&mut self::waiter(&circuit_breaker)));
}

/// CB-20: While all probes are in flight, the verdict of one wakes: success, because all calls pass;
#[tokio::test(start_paused = true)]
async fn cb_20_the_probe_succeeds() {
    let (circuit_breaker, probe) = probed(builder()).await;
    let mut waiters = [(); 3].map(|()| waiting(&circuit_breaker));
    probe.settle(Verdict::Success);
    assert!(waiters.iter().all(|waiter| waiter.is_woken()));
    for waiter in &mut waiters {
        assert_freed(waiter);
        assert_ready_ok!(task::spawn(waiter.call(())).poll());
    }
    assert_eq!((circuit_breaker.state(), circuit_breaker.snapshot().rejected), (State::Closed, 0));
}

/// CB-20: failure, because the time to wait for has changed;
#[tokio::test(start_paused = true)]
async fn cb_20_the_probe_fails() {
    let backoff = Backoff::exponential(OPEN, 8 * OPEN).jitter(Jitter::None);
    let (circuit_breaker, probe) = probed(builder().open_backoff(backoff).probe_timeout(YEAR)).await;
    let mut waiter = waiting(&circuit_breaker);
    advance(400 * MS).await;
    probe.settle(Verdict::Failure);
    assert_parked_again(&mut waiter);
    advance(2 * OPEN - MS).await;
    assert!(!waiter.is_woken());
    advance(MS).await;
    assert_freed(&mut waiter);
    assert_eq!(waiter.get_ref().touched(), (1, 0));
}

/// CB-20: and a probe that is ignored or dropped, because its permit is free.
#[tokio::test(start_paused = true)]
async fn cb_20_the_probe_says_nothing() {
    for settle in [|probe: Permit| probe.settle(Verdict::Ignored), drop] {
        let (circuit_breaker, probe) = probed(builder()).await;
        let mut first = waiting(&circuit_breaker);
        let mut second = waiting(&circuit_breaker);
        settle(probe);
        // One call may pass. Once the first is ready, the second is woken too, because the first may never call.
        assert!(!second.is_woken());
        assert_freed(&mut first);
        assert_freed(&mut second);
        // The second one is faster.
        let mut call = task::spawn(second.call(()));
        assert_pending!(poll(&mut first));
        assert_eq!(circuit_breaker.state(), State::HalfOpen);
        assert_ready_ok!(call.poll());
        assert_freed(&mut first);
        assert_eq!(circuit_breaker.snapshot().rejected, 0);
    }
}

/// CB-20: Of two permits, a single one that is released is enough to wake.
#[tokio::test(start_paused = true)]
async fn cb_20_one_of_two_probes() {
    let (circuit_breaker, first) = probed(builder().max_concurrent_probes(2).success_threshold(2).max_trials(3)).await;
    let second = circuit_breaker.admit().unwrap();
    let mut waiter = waiting(&circuit_breaker);
    first.settle(Verdict::Success);
    assert_freed(&mut waiter);
    // The third trial is for the next call; after that there is none, until the outcome is decided.
    let third = waiter.call(());
    let mut waiter = waiting(&circuit_breaker);
    drop(third);
    assert_freed(&mut waiter);
    second.settle(Verdict::Success);
    assert_eq!(circuit_breaker.state(), State::Closed);
}

/// CB-20: A reset and a forced passage wake, from an open time, from a half-open state and from a forced one.
#[tokio::test(start_paused = true)]
async fn cb_20_reset_and_force_closed() {
    for free in [CircuitBreaker::reset, CircuitBreaker::force_closed] {
        let (half_open, _probe) = probed(builder()).await;
        let forced = builder().build().unwrap();
        forced.force_open();
        let bystander = waiting(&opened(builder()));
        for circuit_breaker in [half_open, opened(builder()), forced] {
            let mut waiters = [(); 3].map(|()| waiting(&circuit_breaker));
            free(&circuit_breaker);
            // All of them, before any has looked.
            assert!(waiters.iter().all(|waiter| waiter.is_woken()));
            waiters.iter_mut().for_each(assert_freed);
        }
        // Another circuit's changes wake nothing here.
        assert!(!bystander.is_woken());
    }
}

/// CB-20, CB-21: Those that wait for the end of an open time look once when it would have ended if the circuit is forced
/// open meanwhile, and then wait without a time.
#[tokio::test(start_paused = true)]
async fn cb_20_force_open() {
    let circuit_breaker = opened(builder());
    let mut waiter = waiting(&circuit_breaker);
    circuit_breaker.force_open();
    assert!(!waiter.is_woken());
    advance(OPEN).await;
    assert_parked_again(&mut waiter);
    advance(100 * YEAR).await;
    assert!(!waiter.is_woken());
    assert_pending!(poll(&mut waiter));
    circuit_breaker.reset();
    assert_freed(&mut waiter);
}

/// CB-17, CB-20: A probe that hangs times out at its deadline, noticed by those that wait, which go on to wait for the
/// new open time, which runs from that deadline.
#[tokio::test(start_paused = true)]
async fn cb_20_a_probe_that_hangs() {
    let (circuit_breaker, probe) = probed(builder().probe_timeout(300 * MS)).await;
    let mut waiters = [(); 3].map(|()| waiting(&circuit_breaker));
    advance(299 * MS).await;
    assert!(!waiters.iter().any(|waiter| waiter.is_woken()));
    advance(MS).await;
    // The first notices for all, and the others look a little later.
    for (late, waiter) in (0..).zip(&mut waiters) {
        assert_parked_again(waiter);
        assert_eq!(circuit_breaker.state(), State::Open);
        if late < 2 {
            advance(MS).await;
        }
    }
    // Then none is woken for the rest of the open time.
    advance(OPEN - 3 * MS).await;
    assert!(!waiters.iter().any(|waiter| waiter.is_woken()));
    advance(MS).await;
    for waiter in &mut waiters {
        assert_freed(waiter);
    }
    probe.settle(Verdict::Success);
    assert_eq!(circuit_breaker.state(), State::Open);
}

/// CB-20: A probe without a deadline is waited for without a timer.
#[tokio::test(start_paused = true)]
async fn cb_20_a_probe_without_a_deadline() {
    let (circuit_breaker, probe) = probed(builder().probe_timeout(Duration::MAX)).await;
    let mut waiter = waiting(&circuit_breaker);
    advance(100 * YEAR).await;
    assert!(!waiter.is_woken());
    probe.settle(Verdict::Success);
    assert_freed(&mut waiter);
}

/// CB-20, CB-26: An open time with no limit is waited for without a timer: no runtime is needed.
#[test]
fn cb_20_open_for_ever() {
    let circuit_breaker = opened(builder().open_for(Duration::MAX));
    let mut waiters = [(); 2].map(|()| waiting(&circuit_breaker));
    circuit_breaker.force_open();
    for waiter in &mut waiters {
        assert!(!waiter.is_woken());
        assert_pending!(poll(waiter));
    }
    circuit_breaker.reset();
    waiters.iter_mut().for_each(assert_freed);
    // The opposite: a time that ends needs a timer, as the docs say.
    let mut waiter = waiter(&opened(builder()));
    assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut waiter))).is_err());
}

/// CB-20: And with a runtime, it lasts.
#[tokio::test(start_paused = true)]
async fn cb_20_open_for_ever_on_a_runtime() {
    let circuit_breaker = opened(builder().open_for(Duration::MAX));
    let mut waiter = waiting(&circuit_breaker);
    for _ in 0..3 {
        advance(50 * YEAR).await;
        assert!(!waiter.is_woken());
        assert_pending!(poll(&mut waiter));
    }
    assert_eq!(waiter.get_ref().touched(), (0, 0));
}

/// CB-20: An open time of years, for which a timer has to be reset repeatedly, ends on the millisecond.
#[tokio::test(start_paused = true)]
async fn cb_20_open_for_years() {
    for years in [3, 300] {
        let circuit_breaker = opened(builder().open_for(years * YEAR));
        let mut waiter = waiting(&circuit_breaker);
        advance(years * YEAR - MS).await;
        assert_pending!(poll(&mut waiter));
        assert!(!waiter.is_woken());
        advance(MS).await;
        assert_freed(&mut waiter);
    }
}

/// CB-20, CB-31: A hundred tasks wait on one runtime: one becomes the probe, none is rejected, each is polled when it
/// begins and when the probe has succeeded, and only two when the time is over: the first, and the next, which is woken
/// because the first may never call.
#[tokio::test(start_paused = true)]
async fn cb_20_a_hundred_waiters() {
    const WAITERS: usize = 100;
    let (circuit_breaker, polls) = (opened(builder()), Polls::default());
    let (inner, mut handle) = mock::pair::<usize, usize>();
    let mut tasks = JoinSet::new();
    for number in 0..WAITERS {
        let (mut service, polls) = (circuit_breaker.layer().wait().layer(inner.clone()), polls.clone());
        tasks.spawn(async move {
            polls.counted(number, &mut service).await?;
            service.call(number).await
        });
    }
    idle().await;
    assert_eq!((polls.most(), polls.sum()), (1, WAITERS));
    advance(OPEN - MS).await;
    idle().await;
    // None polled to see whether the time was over.
    assert_eq!(polls.sum(), WAITERS);
    advance(MS).await;
    let (probe, respond) = handle.next_request().await.unwrap();
    idle().await;
    assert_pending!(task::spawn(handle.next_request()).poll());
    assert_eq!((circuit_breaker.state(), polls.most(), polls.sum()), (State::HalfOpen, 2, WAITERS + 2));
    respond.send_response(probe);
    for _ in 1..WAITERS {
        let (number, respond) = handle.next_request().await.unwrap();
        respond.send_response(number);
    }
    let mut answers = tasks.join_all().await.into_iter().map(Result::unwrap).collect::<Vec<_>>();
    answers.sort_unstable();
    assert_eq!(answers, (0..WAITERS).collect::<Vec<_>>());
    assert_eq!((circuit_breaker.state(), circuit_breaker.snapshot().rejected), (State::Closed, 0));
    // The second was polled for nothing.
    assert_eq!((polls.most(), polls.sum()), (3, 2 * WAITERS + 1));
}

/// CB-20: A probe that hangs and times out costs each of a hundred waiters only a few polls, too.
#[tokio::test(start_paused = true)]
async fn cb_20_a_hundred_waiters_for_a_probe_that_hangs() {
    const WAITERS: usize = 100;
    let (circuit_breaker, _hung) = probed(builder()).await;
    let polls = Polls::default();
    let mut tasks = JoinSet::new();
    for number in 0..WAITERS {
        let (mut service, polls) = (circuit_breaker.layer().wait().layer(Inner::default()), polls.clone());
        tasks.spawn(async move {
            polls.counted(number, &mut service).await?;
            service.call(()).await
        });
    }
    idle().await;
    assert_eq!((polls.most(), polls.sum()), (1, WAITERS));
    advance(OPEN).await;
    idle().await;
    // Open again, from the deadline on.
    assert_eq!((circuit_breaker.state(), tasks.try_join_next().is_none()), (State::Open, true));
    assert!(polls.most() <= 3, "{}", polls.most());
    advance(OPEN).await;
    for answer in tasks.join_all().await {
        answer.unwrap();
    }
    assert_eq!((circuit_breaker.state(), circuit_breaker.snapshot().rejected), (State::Closed, 0));
    assert!(polls.most() <= 5, "{}", polls.most());
}

/// How often each of many waiters was polled.
#[derive(Clone)]
struct Polls(Arc<[AtomicUsize]>);

impl Default for Polls {
    fn default() -> Polls {
        Polls((0..100).map(|_| AtomicUsize::new(0)).collect())
    }
}

impl Polls {
    async fn counted<S: Service<R>, R>(&self, number: usize, service: &mut S) -> Result<(), S::Error> {
        poll_fn(|cx| {
            self.0[number].fetch_add(1, Ordering::Relaxed);
            service.poll_ready(cx)
        })
        .await
    }

    fn counts(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|count| count.load(Ordering::Relaxed))
    }

    fn most(&self) -> usize {
        self.counts().max().unwrap_or(0)
    }

    fn sum(&self) -> usize {
        self.counts().sum()
    }
}

/// Lets the other tasks run as far as they get.
async fn idle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

/// A waker whose copies can be counted.
#[derive(Default)]
struct Counted(AtomicUsize);

impl Wake for Counted {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Counted {
    fn woken(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

fn poll_with(service: &mut CircuitBreakerService<Inner>, waker: &Arc<Counted>) -> Poll<Result<(), BoxError>> {
    service.poll_ready(&mut Context::from_waker(&Waker::from(Arc::clone(waker))))
}

/// CB-20: A waiting service that is dropped leaves no waker behind, neither with the circuit breaker nor with a timer,
/// and takes no other's with it.
#[tokio::test(start_paused = true)]
async fn cb_20_dropped_while_waiting() {
    let circuit_breaker = opened(builder());
    let (gone, stays) = (Arc::new(Counted::default()), Arc::new(Counted::default()));
    let mut services = [(); 2].map(|()| circuit_breaker.layer().wait().layer(Inner::default()));
    assert_pending!(poll_with(&mut services[0], &gone));
    assert_pending!(poll_with(&mut services[1], &stays));
    assert!(Arc::strong_count(&gone) > 1);
    let [first, second] = services;
    drop(first);
    assert_eq!(Arc::strong_count(&gone), 1);
    assert!(Arc::strong_count(&stays) > 1);
    circuit_breaker.reset();
    assert_eq!((gone.woken(), stays.woken()), (0, 1));
    drop(second);
    assert_eq!(Arc::strong_count(&stays), 1);
}

/// CB-20: Nor does one that has waited, once it is ready, or one that was only cloned.
#[tokio::test(start_paused = true)]
async fn cb_20_ready_after_waiting() {
    let circuit_breaker = opened(builder());
    let waker = Arc::new(Counted::default());
    let mut service = circuit_breaker.layer().wait().layer(Inner::default());
    assert_pending!(poll_with(&mut service, &waker));
    let mut clone = service.clone();
    advance(OPEN).await;
    assert_eq!(waker.woken(), 1);
    assert_ready_ok!(poll_with(&mut service, &waker));
    assert_eq!(Arc::strong_count(&waker), 1);
    // The clone has its own place, from when it is polled.
    circuit_breaker.force_open();
    assert_eq!(waker.woken(), 1);
    assert_pending!(poll_with(&mut clone, &waker));
    assert!(Arc::strong_count(&waker) > 1);
    drop(service);
    assert!(Arc::strong_count(&waker) > 1);
    drop(clone);
    assert_eq!(Arc::strong_count(&waker), 1);
}

/// CB-20: The last waker given is the one that is woken, whatever wakes it, and it is held once.
#[tokio::test(start_paused = true)]
async fn cb_20_from_one_task_to_another() {
    let circuit_breaker = opened(builder());
    let (before, after) = (Arc::new(Counted::default()), Arc::new(Counted::default()));
    let mut service = circuit_breaker.layer().wait().layer(Inner::default());
    assert_pending!(poll_with(&mut service, &before));
    let held = Arc::strong_count(&before);
    assert_pending!(poll_with(&mut service, &before));
    assert_eq!(Arc::strong_count(&before), held);
    assert_pending!(poll_with(&mut service, &after));
    assert_eq!(Arc::strong_count(&before), 1);
    // By the circuit breaker,
    circuit_breaker.reset();
    assert_eq!((before.woken(), after.woken()), (0, 1));
    settle(&circuit_breaker, &[Verdict::Failure]);
    assert_pending!(poll_with(&mut service, &before));
    assert_pending!(poll_with(&mut service, &after));
    advance(OPEN).await;
    // and by the timer.
    assert_eq!((before.woken(), after.woken()), (0, 2));
}

/// CB-20: Ready is not admitted: the permit that two became ready for is taken by the one that calls first, and the other
/// is rejected if it calls without asking again.
#[tokio::test(start_paused = true)]
async fn cb_20_ready_and_too_late() {
    let circuit_breaker = opened(builder());
    let [mut first, mut second] = [(); 2].map(|()| waiting(&circuit_breaker));
    advance(OPEN).await;
    assert_freed(&mut first);
    assert_freed(&mut second);
    let probe = first.call(());
    let error = assert_ready_err!(task::spawn(second.call(())).poll());
    assert!(matches!(error.rejected(), Some(Rejected::CircuitOpen { retry_after: RetryAfter::UNKNOWN, .. })));
    assert_eq!((second.get_ref().touched(), circuit_breaker.snapshot().rejected), ((1, 0), 1));
    // Asking again means waiting again.
    assert_pending!(poll(&mut second));
    assert_ready_ok!(task::spawn(probe).poll());
    assert_freed(&mut second);
}

/// CB-19, CB-20: While calls pass, waiting is up to the inner service; a caller that waits for it learns that the
/// circuit opened only by asking again.
#[tokio::test(start_paused = true)]
async fn cb_20_closed() {
    let circuit_breaker = builder().build().unwrap();
    let (inner, mut handle) = mock::pair::<(), ()>();
    handle.allow(0);
    let mut service = task::spawn(circuit_breaker.layer().wait().layer(inner));
    assert_pending!(service.enter(|cx, mut service| service.poll_ready(cx)));
    settle(&circuit_breaker, &[Verdict::Failure]);
    assert!(!service.is_woken());
    handle.allow(1);
    assert!(service.is_woken());
    // The inner service is ready and the circuit open.
    assert_pending!(service.enter(|cx, mut service| service.poll_ready(cx)));
    advance(OPEN).await;
    assert!(service.is_woken());
    assert_ready_ok!(service.enter(|cx, mut service| service.poll_ready(cx)));
}

/// CB-20: Reading the state wakes nothing and changes nothing for those that wait.
#[tokio::test(start_paused = true)]
async fn cb_20_reading_wakes_nobody() {
    let circuit_breaker = opened(builder());
    let mut waiter = waiting(&circuit_breaker);
    for _ in 0..10 {
        assert!(circuit_breaker.admit().is_err());
        assert_eq!((circuit_breaker.state(), circuit_breaker.snapshot().state), (State::Open, State::Open));
    }
    // Another service's rejection, without waiting.
    let mut other = task::spawn(circuit_breaker.layer().layer(Inner::default()));
    assert_ready_ok!(poll(&mut other));
    assert_ready_err!(task::spawn(other.call(())).poll());
    assert!(!waiter.is_woken());
    advance(OPEN).await;
    assert_freed(&mut waiter);
}
