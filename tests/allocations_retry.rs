//! Counts what a retry allocates: nothing, unless it waits. In a binary by itself, because the allocator counts for all
//! threads.

use std::alloc::System;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use seaworthy::{Backoff, Circuit, Error, LiftLayer, RetryPolicy};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tower::{Layer, Service, service_fn};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

type Outcome = Result<(), Error<&'static str>>;

/// Allocations of one call after the first, from readiness to the drop of the future.
fn allocations<S>(service: &mut S, request: Result<(), &'static str>) -> (Outcome, usize)
where
    S: Service<Result<(), &'static str>, Response = (), Error = Error<&'static str>>,
{
    let mut cx = Context::from_waker(Waker::noop());
    let mut call = || {
        let Poll::Ready(ready) = service.poll_ready(&mut cx) else { panic!("always ready") };
        ready?;
        let Poll::Ready(outcome) = pin!(service.call(request)).poll(&mut cx) else { panic!("ends at once") };
        outcome
    };
    let _warm = call();
    let region = Region::new(ALLOCATOR);
    let outcome = call();
    (outcome, region.change().allocations)
}

fn main() {
    let echo = || service_fn(|result: Result<(), &'static str>| std::future::ready(result));
    let circuit = Circuit::builder("inner").build().unwrap();
    let stack = |policy: RetryPolicy| policy.layer().layer(circuit.layer().layer(LiftLayer::new().layer(echo())));
    let quick = |attempts| {
        let builder = RetryPolicy::builder("test").attempts(attempts);
        builder.backoff(Backoff::constant(Duration::ZERO)).deadline(Duration::from_secs(60)).build().unwrap()
    };

    // RT-01: a first attempt that succeeds, with a budget and a deadline.
    assert_eq!(allocations(&mut stack(quick(3)), Ok(())), (Ok(()), 0));
    // RT-15: retries without a wait, each paid for.
    let mut plain = quick(3).layer().layer(LiftLayer::new().layer(echo()));
    assert_eq!(allocations(&mut plain, Err("no")), (Err(Error::Inner("no")), 0));
    // RT-08: an empty budget.
    let mut poor = quick(100).layer().layer(LiftLayer::new().layer(echo()));
    assert_eq!(allocations(&mut poor, Err("no")), (Err(Error::Inner("no")), 0));
    // RT-03: a rejection from below.
    circuit.force_open();
    let (outcome, count) = allocations(&mut stack(quick(3)), Ok(()));
    assert!(matches!(outcome, Err(Error::Rejected(_))));
    assert_eq!(count, 0);

    // The opposite: a wait makes a timer, so that the count can be seen to count.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    let backoff = Backoff::constant(Duration::from_secs(1));
    let policy = RetryPolicy::builder("waits").backoff(backoff).build().unwrap();
    let mut waits = policy.layer().layer(LiftLayer::new().layer(echo()));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Service::<Result<(), &str>>::poll_ready(&mut waits, &mut cx).is_ready());
    let mut call = pin!(waits.call(Err("no")));
    let region = Region::new(ALLOCATOR);
    assert!(call.as_mut().poll(&mut cx).is_pending());
    assert!(region.change().allocations >= 1);
}
