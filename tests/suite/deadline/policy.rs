use std::cell::Cell;
use std::future::pending;

use seaworthy::policy::{Class, PolicyBuilder};
use seaworthy::{BoxError, Deadline, DeadlineStage, OnDeadline, OnDrop, Policy, State};
use tokio::time::{Duration, advance};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::{MS, Told, stage};
use crate::support::now;

type Answer = Result<(), BoxError>;

fn builder() -> PolicyBuilder {
    Policy::builder("p").circuit_breaker(|circuit_breaker| circuit_breaker.consecutive_failures(1))
}

fn state(policy: &Policy) -> State {
    policy.circuit_breaker().unwrap().state()
}

/// Hangs, through `run` or through the layer.
async fn hangs(policy: &Policy, layer: bool) -> Answer {
    if layer {
        let service = service_fn(|()| pending::<Answer>());
        ServiceBuilder::new().layer(policy.layer()).service(service).oneshot(()).await
    } else {
        policy.run(pending::<Answer>).await
    }
}

/// DL-18: a policy ends a call at its deadline, with or without a timeout, through the layer and through `run`.
#[tokio::test(start_paused = true)]
async fn dl_18_ends_at_the_deadline() {
    for (layer, timeout) in [(false, None), (true, None), (false, Some(9 * MS)), (true, Some(9 * MS))] {
        let told = Told::default();
        let builder = Policy::builder("p").observer(told.clone());
        let policy = timeout.into_iter().fold(builder, PolicyBuilder::timeout).build().unwrap();
        let start = now();
        let result = Deadline::within(5 * MS).scope(hangs(&policy, layer)).await;
        assert_eq!((stage(result), start.elapsed()), (Some(DeadlineStage::Attempt), 5 * MS));
        assert_eq!(told.take(), ["p attempt 0ns"]);
    }
}

/// DL-18: what arrives too late takes nothing; what waits leaves.
#[tokio::test(start_paused = true)]
async fn dl_18_arrives_too_late_or_waits() {
    let policy = builder().bulkhead(|bulkhead| bulkhead.limit(1).max_wait(9 * MS)).build().unwrap();
    let bulkhead = policy.bulkhead().unwrap();
    for layer in [false, true] {
        let passed = Deadline::within(Duration::ZERO);
        assert_eq!(stage(passed.scope(hangs(&policy, layer)).await), Some(DeadlineStage::Arrival));
        let permit = bulkhead.try_acquire().unwrap();
        let mut call = spawn(Deadline::within(5 * MS).scope(hangs(&policy, layer)));
        assert_pending!(call.poll());
        assert_eq!(bulkhead.queued(), 1);
        advance(5 * MS).await;
        assert_eq!(stage(assert_ready!(call.poll())), Some(DeadlineStage::Queue));
        drop(permit);
        assert_eq!((bulkhead.queued(), bulkhead.in_use(), state(&policy)), (0, 0, State::Closed));
    }
}

/// DL-18: a class's timeout narrows as a timeout does, and is no deadline for what is below.
#[tokio::test(start_paused = true)]
async fn dl_18_a_class_sets_no_deadline() {
    let policy = Policy::builder("p").timeout(9 * MS).build().unwrap();
    let seen = policy.with(Class::new().timeout(3 * MS)).run(|| async { Ok::<_, BoxError>(Deadline::current()) });
    assert_eq!(seen.await.unwrap(), None);
    let start = now();
    let slow = policy.with(Class::new().timeout(3 * MS)).run(pending::<Answer>);
    assert_eq!(stage(Deadline::within(5 * MS).scope(slow).await), None);
    assert_eq!(start.elapsed(), 3 * MS);
}

/// DL-18: retries of a policy begin nothing after the deadline.
#[tokio::test(start_paused = true)]
async fn dl_18_retries() {
    let wait = seaworthy::Backoff::constant(3 * MS).jitter(seaworthy::Jitter::None);
    let policy = Policy::builder("p").retry(|retry| retry.attempts(9).backoff(wait)).build().unwrap();
    let made = Cell::new(0);
    let fails = || {
        made.set(made.get() + 1);
        async { Answer::Err("down".into()) }
    };
    let error = Deadline::within(4 * MS).scope(policy.run(fails)).await.unwrap_err();
    assert_eq!((error.to_string().as_str(), made.get()), ("down", 2));
}

/// DL-10: in a policy with a timeout, half of it is a fair trial, unless something else is set.
#[tokio::test(start_paused = true)]
async fn dl_10_half_of_the_timeout() {
    let with = |set: fn(seaworthy::circuit_breaker::CircuitBreakerBuilder) -> _| builder().circuit_breaker(set);
    let same = || builder();
    for (policy, opens_at_5, opens_after) in [
        (same().timeout(10 * MS), false, true),
        (same(), false, false),
        (with(|c| c.on_drop(OnDrop::Ignore)).timeout(10 * MS), false, false),
        (with(|c| c.on_deadline(OnDeadline::Ignore)).timeout(10 * MS), false, false),
        (with(|c| c.on_deadline(OnDeadline::Failure)).timeout(10 * MS), true, true),
    ] {
        let policy = policy.build().unwrap();
        for layer in [false, true] {
            for (time, opens) in [(5 * MS, opens_at_5), (6 * MS, opens_after)] {
                let result = Deadline::within(time).scope(hangs(&policy, layer)).await;
                assert_eq!(stage(result), Some(DeadlineStage::Attempt));
                assert_eq!(state(&policy) == State::Open, opens, "{time:?} of {policy:?}");
                policy.circuit_breaker().unwrap().reset();
            }
        }
    }
}

/// DL-11: half of the timeout is the measure for calls that are dropped after their deadline, too.
#[tokio::test(start_paused = true)]
async fn dl_11_dropped() {
    for (time, opens) in [(5 * MS, false), (6 * MS, true)] {
        let policy = builder().timeout(10 * MS).build().unwrap();
        let mut call = spawn(Deadline::within(time).scope(hangs(&policy, false)));
        assert_pending!(call.poll());
        advance(time).await;
        drop(call);
        assert_eq!(state(&policy) == State::Open, opens);
    }
}
