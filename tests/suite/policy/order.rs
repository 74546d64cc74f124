//! The order of the parts, and what each sees of the others.

use std::sync::{Arc, Mutex};

use seaworthy::observe::{BulkheadEvent, CircuitBreakerEvent, RetryEvent, TimeoutEvent};
use seaworthy::{Event, State};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};

use super::*;
use crate::support::{advance, now};

/// PO-01: an open circuit fails fast even when the bulkhead is saturated: no call waits for a permit, and the backend
/// is left alone.
#[tokio::test(start_paused = true)]
async fn po_01_circuit_outside_of_the_bulkhead() {
    for way in WAYS {
        let (policy, backend) = (builder().build().unwrap(), Backend::default());
        let _permit = policy.bulkhead().unwrap().try_acquire().unwrap();
        trip(&policy);
        let began = now();
        assert_eq!(rejected(way.ask(&policy, &backend, Do::Answer).await), circuit_open(OPEN), "{way:?}");
        assert_eq!(now(), began, "{way:?}");
        let snapshot = policy.snapshot();
        assert_eq!(
            (snapshot.circuit_breaker.unwrap().rejected, snapshot.bulkhead.unwrap().rejected),
            (1, 0),
            "{way:?}"
        );
        assert_eq!(backend.calls(), 0, "{way:?}");
    }
}

/// PO-01: a full bulkhead says nothing about the backend: the circuit stays closed, whatever the number, and a run of
/// failures goes on.
#[tokio::test(start_paused = true)]
async fn po_01_a_full_bulkhead_is_no_failure() {
    for way in WAYS {
        let (policy, backend) = (builder().build().unwrap(), Backend::default());
        way.ask(&policy, &backend, Do::Fail).await.unwrap_err();
        let permit = policy.bulkhead().unwrap().try_acquire().unwrap();
        for _ in 0..10 {
            assert_eq!(rejected(way.ask(&policy, &backend, Do::Answer).await), full(), "{way:?}");
        }
        assert_eq!((policy.circuit_breaker().unwrap().state(), failures(&policy)), (State::Closed, 1), "{way:?}");
        assert_eq!((policy.snapshot().bulkhead.unwrap().rejected, backend.calls()), (10, 1), "{way:?}");
        drop(permit);
        assert_eq!(way.ask(&policy, &backend, Do::Answer).await.unwrap(), "fine");
    }
}

/// PO-01, PO-02: the timeout is inside the circuit breaker, for which it is a failure, and inside the bulkhead, which
/// gets its permit back.
#[tokio::test(start_paused = true)]
async fn po_01_timeout_inside_of_the_circuit() {
    for way in WAYS {
        let (policy, backend) = (builder().build().unwrap(), Backend::default());
        for _ in 0..3 {
            assert_eq!(rejected(way.ask(&policy, &backend, Do::Hang).await), timed_out(), "{way:?}");
            assert_eq!(policy.bulkhead().unwrap().available(), 1, "{way:?}");
        }
        assert_eq!(policy.circuit_breaker().unwrap().state(), State::Open, "{way:?}");
    }
}

/// PO-02: the timeout's clock starts once the permit is granted: a call that waited nearly as long as it may has its
/// full time.
#[tokio::test(start_paused = true)]
async fn po_02_the_clock_starts_with_the_slot() {
    for way in WAYS {
        let (policy, backend) = (builder().build().unwrap(), Backend::default());
        let permit = policy.bulkhead().unwrap().try_acquire().unwrap();
        let mut call = spawn(way.ask(&policy, &backend, Do::Hang));
        assert_pending!(call.poll());
        assert_eq!((policy.bulkhead().unwrap().queued(), backend.calls()), (1, 0), "{way:?}");
        advance(WAIT - MS).await;
        drop(permit);
        assert!(call.is_woken(), "{way:?}");
        assert_pending!(call.poll());
        assert_eq!((policy.bulkhead().unwrap().queued(), backend.calls()), (0, 1), "{way:?}");
        advance(ATTEMPT - MS).await;
        assert_pending!(call.poll());
        advance(MS).await;
        assert_eq!(rejected(assert_ready!(call.poll())), timed_out(), "{way:?}");
    }
}

/// PO-01: retries are outside the circuit breaker, so that each attempt is admitted and counted, and an open circuit
/// ends them. A call that waits for its next attempt holds no permit.
#[tokio::test(start_paused = true)]
async fn po_01_retry_outside_of_the_circuit() {
    for way in WAYS {
        let (policy, backend) = (with_retry(10).build().unwrap(), Backend::default());
        let mut call = spawn(way.ask(&policy, &backend, Do::Fail));
        assert_pending!(call.poll());
        // The first attempt failed.
        assert_eq!((failures(&policy), policy.bulkhead().unwrap().available()), (1, 1), "{way:?}");
        advance(PAUSE).await;
        assert_pending!(call.poll());
        advance(PAUSE).await;
        // The third opened the circuit; the fourth is not admitted, and is the last.
        assert_pending!(call.poll());
        assert_eq!((policy.circuit_breaker().unwrap().state(), backend.calls()), (State::Open, 3), "{way:?}");
        advance(PAUSE).await;
        assert_eq!(rejected(assert_ready!(call.poll())), circuit_open(OPEN - PAUSE), "{way:?}");
        assert_eq!(backend.calls(), 3, "{way:?}");
    }
}

/// PO-01: each attempt has the whole timeout, and its own permit.
#[tokio::test(start_paused = true)]
async fn po_01_timeout_of_each_attempt() {
    for way in WAYS {
        let (policy, backend) = (with_retry(2).build().unwrap(), Backend::default());
        let began = now();
        assert_eq!(rejected(way.ask(&policy, &backend, Do::Hang).await), timed_out(), "{way:?}");
        assert_eq!((now() - began, backend.calls()), (ATTEMPT + PAUSE + ATTEMPT, 2), "{way:?}");
    }
}

/// PO-05: without `retry` there is one attempt, whatever its result, and no budget.
#[tokio::test(start_paused = true)]
async fn po_05_no_retry_unless_asked_for() {
    for way in WAYS {
        let (policy, backend) = (builder().build().unwrap(), Backend::default());
        assert!(policy.retry_policy().is_none());
        assert_eq!(policy.snapshot().retry_balance, None);
        way.ask(&policy, &backend, Do::Fail).await.unwrap_err();
        assert_eq!(rejected(way.ask(&policy, &backend, Do::Hang).await), timed_out());
        assert_eq!(backend.calls(), 2, "{way:?}");
        // Enabled explicitly.
        let (policy, backend) = (with_retry(3).build().unwrap(), Backend::default());
        way.ask(&policy, &backend, Do::Fail).await.unwrap_err();
        assert_eq!(backend.calls(), 3, "{way:?}");
    }
}

/// PO-03: what one way takes, counts and opens, the other sees: both share the handles, and so do clones, even leaked
/// ones.
#[tokio::test(start_paused = true)]
async fn po_03_both_ways_share_the_handles() {
    let (policy, backend) = (builder().build().unwrap(), Backend::default());
    let leaked = policy.clone().leak();
    let mut call = spawn(Way::Run.ask(&policy, &backend, Do::Hang));
    assert_pending!(call.poll());
    // The permit is held by the other.
    assert_eq!(rejected(Way::Layer.ask(&leaked, &backend, Do::Answer).await), full());
    drop(call);
    Way::Layer.ask(&leaked, &backend, Do::Fail).await.unwrap_err();
    Way::Run.ask(&policy, &backend, Do::Fail).await.unwrap_err();
    Way::Layer.ask(&policy.clone(), &backend, Do::Fail).await.unwrap_err();
    for (way, policy) in [(Way::Run, &leaked), (Way::Layer, &policy), (Way::Run, &policy), (Way::Layer, &leaked)] {
        assert_eq!(rejected(way.ask(policy, &backend, Do::Answer).await), circuit_open(OPEN));
    }
    assert_eq!(policy.snapshot(), leaked.snapshot());
}

/// PO-01: two policies given one circuit breaker share it and nothing else.
#[tokio::test(start_paused = true)]
async fn po_01_shared_parts() {
    let (first, backend) = (builder().build().unwrap(), Backend::default());
    let second = Policy::builder("network").shared_circuit_breaker(first.circuit_breaker().unwrap().clone());
    let second = second.bulkhead(|bulkhead| bulkhead.limit(1)).build().unwrap();
    let _permit = first.bulkhead().unwrap().try_acquire().unwrap();
    Way::Run.ask(&second, &backend, Do::Answer).await.unwrap();
    trip(&first);
    assert_eq!(rejected(Way::Layer.ask(&second, &backend, Do::Answer).await), circuit_open(OPEN));
}

/// The observer of a policy gets the events of all parts under the policy's name; a part's own observer stays.
#[tokio::test(start_paused = true)]
async fn observers() {
    fn into(lines: &Arc<Mutex<Vec<String>>>) -> impl Fn(&Event<'_>) + Send + Sync + 'static + use<> {
        let lines = Arc::clone(lines);
        move |event| {
            let line = match event {
                Event::CircuitBreaker(CircuitBreakerEvent::Transition { name, to, .. }) => format!("{name} {to}"),
                Event::Bulkhead(BulkheadEvent::Rejected { name, .. }) => format!("{name} full"),
                Event::Timeout(TimeoutEvent::TimedOut { name, .. }) => format!("{} late", name.unwrap()),
                Event::Retry(RetryEvent::Stopped { name, attempts, .. }) => format!("{name} {attempts}"),
                other => format!("{other:?}"),
            };
            lines.lock().unwrap().push(line);
        }
    }
    let (lines, own) = <(Arc<Mutex<Vec<String>>>, Arc<Mutex<Vec<String>>>)>::default();
    let policy = builder()
        .observer(into(&lines))
        .circuit_breaker(|circuit_breaker| circuit_breaker.consecutive_failures(1).observer(into(&own)))
        .retry(|retry| retry.attempts(1))
        .build()
        .unwrap();
    let backend = Backend::default();
    for way in WAYS {
        assert_eq!(rejected(way.ask(&policy, &backend, Do::Hang).await), timed_out());
        policy.circuit_breaker().unwrap().reset();
        let _permit = policy.bulkhead().unwrap().try_acquire().unwrap();
        assert_eq!(rejected(way.ask(&policy, &backend, Do::Hang).await), full());
    }
    let once = ["compute late", "compute 1", "compute full", "compute 1"];
    assert_eq!(*lines.lock().unwrap(), [once, once].concat());
    assert_eq!(*own.lock().unwrap(), ["compute open", "compute closed", "compute open", "compute closed"]);
}
