//! Calls that go on after they have ended, without HTTP.

use std::cell::Cell;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};

use seaworthy::policy::{Class, PolicyBuilder};
use seaworthy::{Backoff, BoxError, Deadline, OnDeadline, OnDrop, Policy, Rejected, StackError, State, Verdict};
use tokio_test::assert_pending;
use tokio_test::task::spawn;

use crate::support::{MS, advance};

fn builder() -> PolicyBuilder {
    Policy::builder("held")
        .circuit_breaker(|circuit_breaker| circuit_breaker.consecutive_failures(1).open_for(10 * MS))
        .bulkhead(|bulkhead| bulkhead.limit(1))
}

fn seen(policy: &Policy) -> (State, u32) {
    (policy.circuit_breaker().unwrap().state(), policy.bulkhead().unwrap().in_use())
}

async fn open(policy: &Policy) -> Result<(&'static str, seaworthy::policy::Permit), BoxError> {
    policy.with(Class::new()).run_held(async || Ok::<_, BoxError>("stream")).await
}

/// BO-13: the permits leave with the stream, which settles the call as it likes, once.
#[tokio::test(start_paused = true)]
async fn bo_13_settled_by_hand() {
    let policy = builder().build().unwrap();
    for (verdict, state) in [(Verdict::Success, State::Closed), (Verdict::Failure, State::Open)] {
        let (stream, permit) = open(&policy).await.unwrap();
        assert_eq!((stream, permit.is_probe(), permit.policy().name().as_str()), ("stream", false, "held"));
        assert_eq!(seen(&policy), (State::Closed, 1));
        let full = policy.run(async || Ok::<_, BoxError>(())).await.unwrap_err();
        assert!(matches!(full.rejected(), Some(Rejected::BulkheadFull { .. })));
        permit.settle(verdict);
        assert_eq!(seen(&policy), (state, 0));
    }
    // As a probe, it closes the circuit when it is settled, and not before.
    advance(10 * MS).await;
    let (_, permit) = open(&policy).await.unwrap();
    assert_eq!((permit.is_probe(), seen(&policy)), (true, (State::HalfOpen, 1)));
    permit.settle(Verdict::Success);
    assert_eq!(seen(&policy), (State::Closed, 0));
}

/// BO-13: dropped, it counts by `on_drop`, or by `on_deadline` after its deadline; in a panic as a failure.
#[tokio::test(start_paused = true)]
async fn bo_13_dropped() {
    for (on_drop, state) in [(OnDrop::Ignore, State::Closed), (OnDrop::Failure, State::Open)] {
        let policy = builder().circuit_breaker(|circuit_breaker| circuit_breaker.on_drop(on_drop)).build().unwrap();
        drop(open(&policy).await.unwrap());
        assert_eq!(seen(&policy), (state, 0));
    }
    let policy =
        builder().circuit_breaker(|circuit_breaker| circuit_breaker.on_deadline(OnDeadline::Failure)).build().unwrap();
    let late = async {
        let held = open(&policy).await.unwrap();
        advance(MS).await;
        drop(held);
    };
    Deadline::within(MS).scope(late).await;
    assert_eq!(seen(&policy), (State::Open, 0));
    policy.circuit_breaker().unwrap().reset();
    let held = open(&policy).await.unwrap();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _held = held;
        panic!("as planned");
    }));
    assert!(caught.is_err());
    assert_eq!(seen(&policy), (State::Open, 0));
}

/// BO-13: an error is judged at once, and so is a result that is a failure to the classifier, which keeps the
/// bulkhead's permit alone.
#[tokio::test(start_paused = true)]
async fn bo_13_failures_of_the_head() {
    let policy = builder().build().unwrap();
    let failed = policy.with(Class::new()).run_held(async || Err::<(), BoxError>("down".into()));
    assert!(failed.await.is_err());
    assert_eq!(seen(&policy), (State::Open, 0));
    policy.circuit_breaker().unwrap().reset();
    let strict = policy.classify(|result: &Result<u16, BoxError>| match result {
        Ok(200) => Verdict::Success,
        _ => Verdict::Failure,
    });
    let (status, permit) = strict.with(Class::new()).run_held(async || Ok(500)).await.unwrap();
    assert_eq!((status, seen(&policy)), (500, (State::Open, 1)));
    permit.settle(Verdict::Success);
    assert_eq!(seen(&policy), (State::Open, 0));
}

/// BO-13: a timeout and a caller that hangs up count as they do for `run`; a retry comes before anything is kept.
#[tokio::test(start_paused = true)]
async fn bo_13_before_the_result() {
    let policy = builder().timeout(5 * MS).build().unwrap();
    let hangs = || policy.with(Class::new()).run_held(pending::<Result<(), BoxError>>);
    let mut call = spawn(hangs());
    assert_pending!(call.poll());
    drop(call);
    assert_eq!(seen(&policy), (State::Closed, 0));
    assert!(hangs().await.is_err());
    assert_eq!(seen(&policy), (State::Open, 0));

    let policy = builder()
        .circuit_breaker(|circuit_breaker| circuit_breaker.consecutive_failures(9))
        .retry(|retry| retry.attempts(3).backoff(Backoff::constant(MS)))
        .build()
        .unwrap();
    let attempts = Cell::new(0);
    let second = async || {
        attempts.set(attempts.get() + 1);
        assert_eq!(policy.bulkhead().unwrap().in_use(), 1, "the first has given its permit back");
        if attempts.get() == 1 { Err::<u32, BoxError>("down".into()) } else { Ok(attempts.get()) }
    };
    let (number, permit) = policy.with(Class::new()).run_held(second).await.unwrap();
    assert_eq!((number, seen(&policy)), (2, (State::Closed, 1)));
    drop(permit);
    assert_eq!(seen(&policy), (State::Closed, 0));
}

/// BO-13: without either part, a permit holds nothing; it may outlive the policy's handle.
#[tokio::test(start_paused = true)]
async fn bo_13_without_parts() {
    let bare = Policy::builder("bare").build().unwrap();
    let ((), permit) = bare.with(Class::new()).run_held(async || Ok::<_, BoxError>(())).await.unwrap();
    drop(bare);
    permit.settle(Verdict::Failure);
}
