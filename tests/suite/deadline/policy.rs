use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::task::{Context, Poll};

use seaworthy::policy::{Class, PolicyBuilder};
use seaworthy::{BoxError, Deadline, DeadlineStage, OnDeadline, OnDrop, Policy, State, Verdict};
use tokio::time::{Duration, advance};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

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

/// Ready for one call, which fails, and then no more.
#[derive(Clone, Default)]
struct ReadyOnce(Rc<Cell<bool>>);

impl Service<()> for ReadyOnce {
    type Response = ();
    type Error = BoxError;
    type Future = std::future::Ready<Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Answer> {
        if self.0.get() { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn call(&mut self, (): ()) -> Self::Future {
        self.0.set(true);
        std::future::ready(Err("down".into()))
    }
}

/// DL-06, DL-18: a policy ends at the deadline while the inner service is not ready for the next attempt, too.
#[tokio::test(start_paused = true)]
async fn dl_06_not_ready_for_the_next_attempt() {
    let wait = seaworthy::Backoff::constant(Duration::ZERO);
    for total in [None, Some(9 * MS)] {
        let told = Told::default();
        let builder = Policy::builder("p").observer(told.clone()).retry(|retry| retry.backoff(wait));
        let policy = total.into_iter().fold(builder, PolicyBuilder::total_timeout).build().unwrap();
        let service = ServiceBuilder::new().layer(policy.layer()).service(ReadyOnce::default());
        let start = now();
        let call = Deadline::within(5 * MS).scope(service.oneshot(()));
        let result = tokio::time::timeout(99 * MS, call).await.unwrap();
        assert_eq!((stage(result), start.elapsed()), (Some(DeadlineStage::Attempt), 5 * MS));
        assert_eq!(told.take(), ["p attempt 0ns"]);
    }
}

/// DL-10, DL-11: a call that never reached the inner service says nothing about it, also if it is dropped late.
#[tokio::test(start_paused = true)]
async fn dl_11_dropped_before_the_call() {
    let set = |on_drop| {
        builder()
            .circuit_breaker(|c| c.on_deadline(OnDeadline::Failure).on_drop(on_drop))
            .bulkhead(|bulkhead| bulkhead.limit(1).max_wait(Duration::MAX))
    };
    for (on_drop, wait, opens) in [
        (OnDrop::Ignore, 5 * MS, false),
        (OnDrop::Failure, 5 * MS, false),
        (OnDrop::Ignore, 4 * MS, false),
        (OnDrop::Failure, 4 * MS, true),
    ] {
        let policy = set(on_drop).build().unwrap();
        let inner = ReadyOnce(Rc::new(Cell::new(true)));
        let mut service = ServiceBuilder::new().layer(policy.layer()).service(inner);
        let permit = policy.bulkhead().unwrap().try_acquire().unwrap();
        std::future::poll_fn(|cx| service.poll_ready(cx)).await.unwrap();
        let mut call = spawn(Deadline::within(5 * MS).scope(service.call(())));
        assert_pending!(call.poll());
        drop(permit);
        assert_pending!(call.poll());
        advance(wait).await;
        drop(call);
        assert_eq!((state(&policy) == State::Open, policy.bulkhead().unwrap().in_use()), (opens, 0));
    }
}

/// DL-10: a probe whose deadline passes gives its place back, whichever way it went.
#[tokio::test(start_paused = true)]
async fn dl_10_a_probe_gives_its_place_back() {
    for way in 0..5 {
        let builder = builder().circuit_breaker(|c| c.open_for(10 * MS).on_deadline(OnDeadline::Ignore));
        let policy = builder.timeout(50 * MS).bulkhead(|bulkhead| bulkhead.limit(1)).build().unwrap();
        let circuit_breaker = policy.circuit_breaker().unwrap();
        circuit_breaker.admit().unwrap().settle(Verdict::Failure);
        advance(10 * MS).await;
        let deadline = Deadline::within(5 * MS);
        match way {
            0 | 1 => drop(deadline.scope(hangs(&policy, way == 1)).await),
            2 => drop(deadline.scope(policy.with(Class::new()).run_with_permit(|_| pending::<Answer>())).await),
            _ => {
                let call = async {
                    let permit = if way == 3 { circuit_breaker.admit().ok() } else { circuit_breaker.try_probe() };
                    advance(5 * MS).await;
                    assert!(permit.is_some_and(|permit| permit.is_probe()));
                };
                deadline.scope(call).await;
            }
        }
        assert_eq!((state(&policy), circuit_breaker.admit().is_ok()), (State::HalfOpen, true), "{way}");
        assert_eq!(policy.bulkhead().unwrap().in_use(), 0);
    }
}
