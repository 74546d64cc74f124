//! What observers cost in heap: those that want events of calls, nothing; a recorder, little.

use std::future::ready;
use std::hint::black_box;

use seaworthy::observe::HealthEvent;
use seaworthy::{BoxError, Bulkhead, CircuitBreaker, Event, Health, Observer, Phase, RetryPolicy, Verdict};

use crate::allocations;

const CALLS: u32 = 1_000;

#[derive(Clone, Copy)]
struct WantsCalls;

impl Observer for WantsCalls {
    fn on_event(&self, event: &Event<'_>) {
        black_box(event);
    }

    fn interest(&self) -> seaworthy::observe::Interest {
        seaworthy::observe::Interest::Calls
    }
}

/// Allocations of many calls through handles of this name, after the first.
fn of_calls(name: &'static str, observer: impl Observer + Clone + 'static) -> [u64; 4] {
    let circuit_breaker = CircuitBreaker::builder(name).observer(observer.clone()).build().unwrap();
    let bulkhead = Bulkhead::builder(name).observer(observer.clone()).build().unwrap();
    let policy = RetryPolicy::builder(name).observer(observer.clone()).build().unwrap();
    let health = Health::observed(observer);
    health.require(name, || true).unwrap();
    health.advance(Phase::Serving);
    let call = || circuit_breaker.admit().unwrap().settle(Verdict::Success);
    let enter = || drop(bulkhead.try_acquire().unwrap());
    let request = || tokio_test::task::spawn(policy.run(|| ready(Ok::<_, BoxError>(())))).poll().is_ready();
    // The test's task allocates for its waker.
    let task = allocations(|| assert!(tokio_test::task::spawn(ready(())).poll().is_ready()));
    let many = |work: &dyn Fn()| {
        work();
        allocations(|| (0..CALLS).for_each(|_| work()))
    };
    let requests = many(&|| assert!(request())) - u64::from(CALLS) * task;
    [many(&call), many(&enter), requests, many(&|| drop(health.admit().unwrap()))]
}

/// ME-05, ME-11: observing every call allocates nothing.
#[test]
fn of_an_observer_that_wants_calls() {
    assert_eq!(of_calls("wants calls", WantsCalls), [0; 4]);
    assert_eq!(of_calls("two", (WantsCalls, WantsCalls)), [0; 4]);
    assert_eq!(of_calls("does not", is_quiet), [0; 4]);
}

/// Nothing else happens here.
fn is_quiet(event: &Event<'_>) {
    assert!(matches!(event, Event::Health(HealthEvent::PhaseChanged { .. })), "{event:?}");
}

/// ME-11: recording it allocates nothing either. The exporter allocates a handle for each look-up, and keeps durations
/// in blocks until it is asked for them.
#[cfg(feature = "metrics")]
#[test]
fn of_metrics() {
    let observer = seaworthy::MetricsObserver::new();
    assert_eq!(of_calls("nobody listens", observer), [0; 4]);
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let all = metrics::with_local_recorder(&recorder, || of_calls("recorded", observer));
    println!("with an exporter: {all:?} for {CALLS} calls");
    for count in all {
        assert!((1..=u64::from(CALLS) * 2 + 50).contains(&count), "{count} for {CALLS} calls");
    }
}
