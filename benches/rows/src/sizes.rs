//! What a caller has to hold: the sizes of futures, around an inner one of a word, and without a request to keep.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use seaworthy::{Bulkhead, CircuitBreaker, Policy, RetryPolicy, Timeout};
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
