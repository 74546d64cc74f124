//! The peers of the same shape, each called in the cheapest way that its documentation shows. A crate that wraps a
//! function gets a function.

use std::future::{Ready, ready};
use std::hint::black_box;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use failsafe::failure_policy::{ConsecutiveFailures, consecutive_failures, success_rate_over_time_window};
use failsafe::futures::CircuitBreaker as _;
use failsafe::{Config, StateMachine, backoff};
use recloser::Recloser;
use seaworthy::BoxError;
use tokio::sync::Semaphore;
use tower::limit::{ConcurrencyLimit, GlobalConcurrencyLimitLayer};
use tower::load_shed::LoadShed;
use tower::retry::budget::{Budget, TpsBudget};
use tower::{Layer, Service};

use crate::kit::{Answer, Flaky, HOUR, Inner, Late, REQUEST, StackError, ask, enter_busy_runtime, passes, passes_late};

const LIMIT: Duration = Duration::from_secs(30);

type Breaker = StateMachine<ConsecutiveFailures<backoff::Constant>, ()>;

fn breaker(open: bool) -> Breaker {
    let policy = consecutive_failures(5, backoff::constant(HOUR));
    let breaker = Config::new().failure_policy(policy).build();
    for _ in 0..if open { 5 } else { 0 } {
        let _ = failsafe::CircuitBreaker::call(&breaker, || Err::<(), _>("unlucky"));
    }
    breaker
}

/// What a function wrapper is given; the compiler learns neither that it never fails, nor what it answers.
#[inline]
fn function() -> Result<u64, &'static str> {
    black_box(Ok(black_box(REQUEST)))
}

pub fn failsafe_closed() -> impl FnMut() -> bool {
    let breaker = breaker(false);
    move || failsafe::CircuitBreaker::call(&breaker, function).is_ok_and(|answer| answer == REQUEST)
}

/// With its rate over a moving average of ten seconds.
pub fn failsafe_window() -> impl FnMut() -> bool {
    let policy = success_rate_over_time_window(0.5, 20, Duration::from_secs(10), backoff::constant(HOUR));
    let breaker = Config::new().failure_policy(policy).build();
    move || failsafe::CircuitBreaker::call(&breaker, function).is_ok_and(|answer| answer == REQUEST)
}

pub fn failsafe_open() -> impl FnMut() -> bool {
    let breaker = breaker(true);
    move || matches!(failsafe::CircuitBreaker::call(&breaker, function), Err(failsafe::Error::Rejected))
}

fn recloser(calls: usize, rate: f32) -> Arc<Recloser> {
    Arc::new(Recloser::custom().open_wait(HOUR).error_rate(rate).closed_len(calls).build())
}

/// A ring of five at 100 % stands in for consecutive failures.
pub fn recloser_closed() -> impl FnMut() -> bool {
    let breaker = recloser(5, 1.0);
    move || breaker.call(function).is_ok_and(|answer| answer == REQUEST)
}

pub fn recloser_window() -> impl FnMut() -> bool {
    let breaker = recloser(100, 0.5);
    move || breaker.call(function).is_ok_and(|answer| answer == REQUEST)
}

pub fn recloser_open() -> impl FnMut() -> bool {
    let breaker = recloser(5, 1.0);
    let fails = || breaker.call(|| Err::<(), _>("unlucky"));
    assert!((0..100).any(|_| matches!(fails(), Err(recloser::Error::Rejected))), "it opens");
    move || matches!(breaker.call(function), Err(recloser::Error::Rejected))
}

pub fn tower_room() -> impl FnMut() -> bool {
    passes(ConcurrencyLimit::new(Inner::<u64>::new(), 10))
}

/// The error that tower's layers ask for; our own in a box.
#[derive(Clone)]
struct Boxed;

impl Service<u64> for Boxed {
    type Response = u64;
    type Error = BoxError;
    type Future = Ready<Result<u64, BoxError>>;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: u64) -> Self::Future {
        ready(Ok(request))
    }
}

/// Its only permit is taken for good.
pub fn tower_full() -> impl FnMut() -> bool {
    let limit = GlobalConcurrencyLimitLayer::new(1);
    let mut holder = limit.layer(Boxed);
    assert!(holder.poll_ready(&mut Context::from_waker(Waker::noop())).is_ready());
    std::mem::forget(holder);
    let mut service = LoadShed::new(limit.layer(Boxed));
    move || ask::<1, _>(&mut service).is_err()
}

/// What the documentation of `tower::retry::Policy` and of its budget shows.
#[derive(Clone)]
struct Retries {
    left: u32,
    budget: Option<Arc<TpsBudget>>,
}

impl<T: Answer> tower::retry::Policy<u64, T, StackError> for Retries {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut u64, result: &mut Result<T, StackError>) -> Option<Ready<()>> {
        match result {
            Ok(_) => {
                if let Some(budget) = &self.budget {
                    budget.deposit();
                }
                None
            }
            Err(_) => {
                let paid = self.budget.as_ref().is_none_or(|budget| budget.withdraw());
                if !paid || self.left == 0 {
                    return None;
                }
                self.left -= 1;
                Some(ready(()))
            }
        }
    }

    fn clone_request(&mut self, request: &u64) -> Option<u64> {
        Some(*request)
    }
}

fn tower_retry(tries: u64, budget: bool) -> impl FnMut() -> bool {
    let plenty = || Arc::new(TpsBudget::new(Duration::from_secs(10), i32::MAX as u32 - 1, 1.0));
    let policy = Retries { left: 2, budget: budget.then(plenty) };
    passes(tower::retry::RetryLayer::new(policy).layer(Flaky::new(tries)))
}

pub fn tower_first_try() -> impl FnMut() -> bool {
    tower_retry(1, true)
}

pub fn tower_first_try_free() -> impl FnMut() -> bool {
    tower_retry(1, false)
}

pub fn tower_third_try() -> impl FnMut() -> bool {
    tower_retry(3, true)
}

pub fn tower_third_try_free() -> impl FnMut() -> bool {
    tower_retry(3, false)
}

pub fn tower_armed() -> impl FnMut() -> bool {
    enter_busy_runtime();
    passes_late(tower::timeout::Timeout::new(Late::<BoxError>::new(), LIMIT))
}

#[derive(Debug)]
enum ByHand {
    Full,
    TimedOut,
    #[allow(dead_code, reason = "the caller would want it")]
    Inner(StackError),
}

/// What a hand-written client keeps.
struct Parts {
    breaker: Breaker,
    permits: Semaphore,
    client: Inner<u64>,
    waits: ExponentialBuilder,
}

impl Parts {
    fn new(open: bool) -> Parts {
        let waits = ExponentialBuilder::default().with_max_times(2).with_jitter();
        Parts { breaker: breaker(open), permits: Semaphore::new(10), client: Inner::new(), waits }
    }

    async fn call(&self, request: u64) -> Result<u64, failsafe::Error<ByHand>> {
        (|| self.attempt(request))
            .retry(self.waits)
            .when(|error| matches!(error, failsafe::Error::Inner(ByHand::TimedOut | ByHand::Inner(_))))
            .await
    }

    async fn attempt(&self, request: u64) -> Result<u64, failsafe::Error<ByHand>> {
        let call = async {
            let _permit = self.permits.try_acquire().map_err(|_| ByHand::Full)?;
            let answer = tokio::time::timeout(LIMIT, self.client.clone().call(request)).await;
            answer.map_err(|_| ByHand::TimedOut)?.map_err(ByHand::Inner)
        };
        self.breaker.call_with(|error: &ByHand| !matches!(error, ByHand::Full), call).await
    }
}

/// backon around failsafe around a semaphore around tokio's timeout, as a service, whose future owns what it uses as
/// those of layers do; without a budget.
fn by_hand(open: bool) -> impl Service<u64, Response = u64, Error = failsafe::Error<ByHand>> {
    enter_busy_runtime();
    let parts = Arc::new(Parts::new(open));
    tower::service_fn(move |request| {
        let parts = parts.clone();
        async move { parts.call(request).await }
    })
}

pub fn by_hand_closed() -> impl FnMut() -> bool {
    passes(by_hand(false))
}

pub fn by_hand_open() -> impl FnMut() -> bool {
    let mut service = by_hand(true);
    move || matches!(ask::<1, _>(&mut service), Err(failsafe::Error::Rejected))
}
