//! What a deadline costs: where there is none, to enter and leave its scope, and through the layers that consult it.
//!
//! Driven by hand with a waker that does nothing. `clock` is what one reading of the clock takes here.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark reads the clock, and stops at what is wrong"
)]

use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use seaworthy::{Bulkhead, CircuitBreaker, Deadline, DeadlineLayer, Error, Timeout};
use tower::{Layer, Service, ServiceBuilder};

type Answer = Result<u64, Error<&'static str>>;

/// Answers at once.
#[derive(Clone)]
struct AtOnce;

impl Service<u64> for AtOnce {
    type Response = u64;
    type Error = Error<&'static str>;
    type Future = Ready<Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: u64) -> Self::Future {
        ready(Ok(request))
    }
}

/// Never ends.
struct Pending;

impl Future for Pending {
    type Output = ();

    #[inline(never)]
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

fn once<S: Service<u64, Response = u64>>(service: &mut S) -> bool {
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(service.poll_ready(cx).is_ready());
    matches!(pin!(service.call(black_box(7))).poll(cx), Poll::Ready(Ok(7)))
}

fn stack() -> impl Service<u64, Response = u64, Error = Error<&'static str>> + Clone {
    let circuit_breaker = CircuitBreaker::builder("c").build().unwrap().leak();
    let bulkhead = Bulkhead::builder("b").limit(4).build().unwrap().leak();
    ServiceBuilder::new()
        .layer(circuit_breaker.layer())
        .layer(bulkhead.layer())
        .layer(Timeout::new(Duration::from_secs(5)).layer())
        .service(AtOnce)
}

fn deadlines(c: &mut Criterion) {
    let mut group = c.benchmark_group("deadline");
    let cx = &mut Context::from_waker(Waker::noop());
    group.bench_function("clock", |b| b.iter(|| black_box(Instant::now())));
    group.bench_function("current, without one", |b| b.iter(|| black_box(Deadline::current())));
    let mut plain = pin!(Pending);
    group.bench_function("poll", |b| b.iter(|| black_box(plain.as_mut().poll(cx))));
    let mut scoped = pin!(Deadline::within(Duration::from_secs(3600)).scope(Pending));
    group.bench_function("poll, in a scope", |b| b.iter(|| black_box(scoped.as_mut().poll(cx))));
    let mut without = stack();
    group.bench_function("stack, without one", |b| b.iter(|| assert!(once(&mut without))));
    let mut never = DeadlineLayer::within(Duration::MAX).layer(stack());
    group.bench_function("stack, a layer without one", |b| b.iter(|| assert!(once(&mut never))));
    let mut far = DeadlineLayer::within(Duration::from_secs(5)).layer(stack());
    group.bench_function("stack, far", |b| b.iter(|| assert!(once(&mut far))));
    let mut passed = DeadlineLayer::within(Duration::ZERO).layer(stack());
    group.bench_function("stack, passed", |b| b.iter(|| assert!(!once(&mut passed))));
    group.finish();
}

criterion_group!(benches, deadlines);
criterion_main!(benches);
