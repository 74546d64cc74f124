//! What takes memory: futures, around an inner one of a word and without a request to keep, and windows.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use allocation_counter::measure;
use seaworthy::{Bulkhead, CircuitBreaker, Policy, RetryPolicy, Timeout, Verdict};
use tower::{Layer, Service, ServiceBuilder};

use crate::kit::StackError;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct Inner;

struct InnerFuture(#[allow(dead_code, reason = "its size is what matters")] usize);

impl Future for InnerFuture {
    type Output = Result<(), StackError>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(()))
    }
}

impl Service<()> for Inner {
    type Response = ();
    type Error = StackError;
    type Future = InnerFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), StackError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> InnerFuture {
        attempt()
    }
}

fn attempt() -> InnerFuture {
    InnerFuture(7)
}

fn of(future: &impl Future<Output = Result<(), StackError>>) -> u64 {
    size_of_val(future) as u64
}

fn circuit_breaker() -> CircuitBreaker {
    CircuitBreaker::builder("size").build().expect("the settings are valid")
}

fn bulkhead() -> Bulkhead {
    Bulkhead::builder("size").build().expect("the settings are valid")
}

fn retry() -> RetryPolicy {
    RetryPolicy::builder("size").build().expect("the settings are valid")
}

fn policy() -> Policy {
    let policy = Policy::builder("size").circuit_breaker(|circuit_breaker| circuit_breaker);
    let policy = policy.bulkhead(|bulkhead| bulkhead).timeout(SECOND).retry(|retry| retry);
    policy.build().expect("the settings are valid")
}

pub fn stack() -> u64 {
    let mut service = ServiceBuilder::new()
        .layer(retry().layer())
        .layer(circuit_breaker().layer())
        .layer(bulkhead().layer())
        .layer(Timeout::new(SECOND).layer())
        .service(Inner);
    of(&service.call(()))
}

pub fn policy_layer() -> u64 {
    of(&policy().layer().layer(Inner).call(()))
}

pub fn run_circuit_breaker() -> u64 {
    of(&circuit_breaker().run(attempt()))
}

pub fn run_bulkhead() -> u64 {
    of(&bulkhead().run(attempt()))
}

pub fn run_timeout() -> u64 {
    of(&Timeout::new(SECOND).run(attempt()))
}

pub fn run_retry() -> u64 {
    of(&retry().run(attempt))
}

pub fn run_policy_single() -> u64 {
    let policy = Policy::builder("size").circuit_breaker(|circuit_breaker| circuit_breaker);
    let policy = policy.bulkhead(|bulkhead| bulkhead).timeout(SECOND).build();
    of(&policy.expect("the settings are valid").run(attempt))
}

pub fn run_policy() -> u64 {
    of(&policy().run(attempt))
}

/// A count window of the last 1,000,000 calls, of which one failed, and the circuit breaker around it.
fn window(last_calls: u32) -> u64 {
    let mut circuit_breaker = None;
    let heap = measure(|| {
        let builder = CircuitBreaker::builder("size").failure_rate(0.5).count_window(1_000_000).minimum_calls(20);
        let made = circuit_breaker.insert(builder.build().expect("the settings are valid"));
        let verdicts = std::iter::once(Verdict::Failure).chain((0..last_calls).map(|_| Verdict::Success));
        verdicts.for_each(|verdict| made.admit().expect("it is closed").settle(verdict));
    });
    u64::try_from(heap.bytes_current).expect("it is still there")
}

pub fn window_with_a_failure() -> u64 {
    window(1_000)
}

/// All of its calls succeeded, after the one that failed; successes are told to the window a windowful at a time.
pub fn window_recovered() -> u64 {
    window(2_000_000)
}
