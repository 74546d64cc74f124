use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use seaworthy::{
    Backoff, BoxError, Bulkhead, CircuitBreaker, MetricsObserver, RetryBudget, RetryPolicy, StackError, Timeout,
    TracingObserver, Verdict,
};
use tokio_test::{assert_pending, assert_ready, task};

use super::{example_expect, example_stack};
use crate::support::{MS, SECOND, advance, settle};

/// What a recorder of this thread shows.
pub(super) struct Shown {
    handle: PrometheusHandle,
    _installed: metrics::LocalRecorderGuard<'static>,
}

impl Shown {
    pub(super) fn new() -> Shown {
        let recorder = PrometheusBuilder::new().set_buckets(&[0.5, 5.0]).unwrap().build_recorder();
        let handle = recorder.handle();
        Shown { handle, _installed: metrics::set_default_local_recorder(Box::leak(Box::new(recorder))) }
    }

    /// The value of a series, as in the text; none if it is not there.
    pub(super) fn value(&self, series: &str) -> Option<String> {
        let text = self.handle.render();
        let line =
            text.lines().find_map(|line| line.strip_prefix("seaworthy_")?.strip_prefix(series)?.strip_prefix(' '));
        line.map(String::from)
    }

    #[track_caller]
    pub(super) fn assert(&self, expected: &[(&str, u64)]) {
        for (series, value) in expected {
            assert_eq!(self.value(series), Some(value.to_string()), "{series} in {}", self.handle.render());
        }
    }
}

/// ME-08: a circuit breaker's series exist from the start, its state is always one-hot, and each way for a call to end
/// counts once, for the outcome in docs/metrics.md.
#[tokio::test(start_paused = true)]
async fn a_circuit() {
    let shown = Shown::new();
    let builder = CircuitBreaker::builder("me-circuit").consecutive_failures(2).open_for(SECOND);
    let circuit_breaker = builder.observer(MetricsObserver::new()).build().unwrap();
    let state = |closed, open, half_open| {
        shown.assert(&[
            (r#"circuit_breaker_state{name="me-circuit",state="closed"}"#, closed),
            (r#"circuit_breaker_state{name="me-circuit",state="open"}"#, open),
            (r#"circuit_breaker_state{name="me-circuit",state="half_open"}"#, half_open),
        ]);
    };
    let calls = |success, failure, throttled, ignored, rejected| {
        shown.assert(&[
            (r#"circuit_breaker_calls_total{name="me-circuit",outcome="success"}"#, success),
            (r#"circuit_breaker_calls_total{name="me-circuit",outcome="failure"}"#, failure),
            (r#"circuit_breaker_calls_total{name="me-circuit",outcome="throttled"}"#, throttled),
            (r#"circuit_breaker_calls_total{name="me-circuit",outcome="ignored"}"#, ignored),
            (r#"rejections_total{name="me-circuit",reason="circuit_open"}"#, rejected),
        ]);
    };
    state(1, 0, 0);
    calls(0, 0, 0, 0, 0);
    // Admitted, and not settled yet.
    let (late, slow) = (circuit_breaker.admit().unwrap(), circuit_breaker.admit().unwrap());
    calls(0, 0, 0, 0, 0);
    settle(&circuit_breaker, &[Verdict::Success, Verdict::Throttled, Verdict::Ignored]);
    drop(circuit_breaker.admit().unwrap());
    calls(1, 0, 1, 2, 0);
    advance(SECOND).await;
    slow.settle(Verdict::Failure);
    settle(&circuit_breaker, &[Verdict::Failure]);
    calls(1, 2, 1, 2, 0);
    state(0, 1, 0);
    assert!(circuit_breaker.admit().is_err() && circuit_breaker.admit().is_err());
    late.settle(Verdict::Success);
    calls(2, 2, 1, 2, 2);
    state(0, 1, 0);
    advance(SECOND).await;
    let probe = circuit_breaker.admit().unwrap();
    state(0, 0, 1);
    probe.settle(Verdict::Success);
    state(1, 0, 0);
    calls(3, 2, 1, 2, 2);
    shown.assert(&[
        (r#"circuit_breaker_opened_total{name="me-circuit",cause="consecutive_failures"}"#, 1),
        (r#"circuit_breaker_transitions_total{name="me-circuit",from="closed",to="open"}"#, 1),
        (r#"circuit_breaker_transitions_total{name="me-circuit",from="open",to="half_open"}"#, 1),
        (r#"circuit_breaker_transitions_total{name="me-circuit",from="half_open",to="closed"}"#, 1),
        // One took a second, the other no time; one of the successes took a second, too.
        (r#"circuit_breaker_call_duration_seconds_sum{name="me-circuit",outcome="failure"}"#, 1),
        (r#"circuit_breaker_call_duration_seconds_count{name="me-circuit",outcome="failure"}"#, 2),
        (r#"circuit_breaker_call_duration_seconds_bucket{name="me-circuit",outcome="failure",le="0.5"}"#, 1),
        (r#"circuit_breaker_call_duration_seconds_sum{name="me-circuit",outcome="success"}"#, 1),
    ]);
    assert_eq!(shown.value(r#"circuit_breaker_transitions_total{name="me-circuit",from="half_open",to="open"}"#), None);
    // Another of the same name, and then neither.
    let second = CircuitBreaker::builder("me-circuit").observer(MetricsObserver::new()).build().unwrap();
    second.force_open();
    state(1, 1, 0);
    drop((circuit_breaker, second));
    state(0, 0, 0);
}

/// ME-08: calls that panic, and calls that are rejected or time out below the circuit breaker.
#[tokio::test(start_paused = true)]
async fn calls_that_end_otherwise() {
    let shown = Shown::new();
    let observer = MetricsObserver::new();
    let circuit_breaker = CircuitBreaker::builder("me-otherwise").observer(observer).build().unwrap();
    let bulkhead = Bulkhead::builder("me-otherwise").limit(1).observer(observer).build().unwrap();
    let timeout = Timeout::builder(SECOND).name("me-otherwise").observer(observer).build().unwrap();
    let hangs = || timeout.run(std::future::pending::<Result<(), BoxError>>());
    let error = circuit_breaker.run(bulkhead.run(hangs())).await.unwrap_err();
    assert!(error.rejected().is_some());
    let held = bulkhead.try_acquire().unwrap();
    assert!(circuit_breaker.run(bulkhead.run(hangs())).await.is_err());
    drop(held);
    let run = circuit_breaker.clone();
    let panics = async move { run.run::<_, (), BoxError>(async { panic!("on purpose") }).await };
    assert!(tokio::spawn(futures(panics)).await.unwrap_err().is_panic());
    shown.assert(&[
        (r#"circuit_breaker_calls_total{name="me-otherwise",outcome="failure"}"#, 2),
        (r#"circuit_breaker_calls_total{name="me-otherwise",outcome="ignored"}"#, 1),
        (r#"circuit_breaker_calls_total{name="me-otherwise",outcome="success"}"#, 0),
        (r#"rejections_total{name="me-otherwise",reason="bulkhead_full"}"#, 1),
        (r#"rejections_total{name="me-otherwise",reason="circuit_open"}"#, 0),
        (r#"timeouts_total{name="me-otherwise",limit="response"}"#, 1),
        (r#"bulkhead_permits_in_use{name="me-otherwise"}"#, 0),
    ]);
    // A missing name is an empty one.
    let unnamed = Timeout::builder(SECOND).observer(observer).build().unwrap();
    assert!(unnamed.run(std::future::pending::<Result<(), BoxError>>()).await.is_err());
    shown.assert(&[(r#"timeouts_total{name="",limit="response"}"#, 1)]);
}

/// Only so that the panic happens inside a task.
async fn futures<T>(future: impl Future<Output = T>) -> T {
    future.await
}

/// ME-08: an observe-only circuit breaker counts what it would have done.
#[tokio::test(start_paused = true)]
async fn a_circuit_that_only_observes() {
    let shown = Shown::new();
    let builder = CircuitBreaker::builder("me-observes").failure_rate(0.5).count_window(2).observe_only();
    let circuit_breaker = builder.observer(MetricsObserver::new()).build().unwrap();
    settle(&circuit_breaker, &[Verdict::Failure; 4]);
    shown.assert(&[
        (r#"circuit_breaker_would_have_opened_total{name="me-observes",cause="failure_rate"}"#, 1),
        (r#"circuit_breaker_state{name="me-observes",state="closed"}"#, 1),
        (r#"circuit_breaker_calls_total{name="me-observes",outcome="failure"}"#, 4),
    ]);
}

/// ME-09: the gauges of a bulkhead match its handle, after each step.
#[tokio::test(start_paused = true)]
async fn a_bulkhead() {
    let shown = Shown::new();
    let builder = Bulkhead::builder("me-slots").limit(1).max_wait(SECOND).max_queued(2);
    let bulkhead = builder.observer(MetricsObserver::new()).build().unwrap();
    let handle = bulkhead.clone();
    let gauges = move |in_use, waiting| {
        let snapshot = handle.snapshot();
        assert_eq!((snapshot.in_use, snapshot.queued), (in_use, waiting));
        shown.assert(&[
            (r#"bulkhead_limit{name="me-slots"}"#, snapshot.limit.into()),
            (r#"bulkhead_permits_in_use{name="me-slots"}"#, in_use.into()),
            (r#"bulkhead_queued{name="me-slots"}"#, waiting.into()),
        ]);
        let rejected = |reason: &str| {
            let value = shown.value(&format!(r#"rejections_total{{name="me-slots",reason="{reason}"}}"#));
            value.unwrap().parse::<u64>().unwrap()
        };
        assert_eq!(rejected("bulkhead_full") + rejected("bulkhead_wait_over"), snapshot.rejected);
        rejected("bulkhead_wait_over")
    };
    gauges(0, 0);
    let held = bulkhead.try_acquire().unwrap();
    gauges(1, 0);
    let mut waiting = [task::spawn(bulkhead.acquire()), task::spawn(bulkhead.acquire())];
    for waiter in &mut waiting {
        assert_pending!(waiter.poll());
    }
    gauges(1, 2);
    assert!(assert_ready!(task::spawn(bulkhead.acquire()).poll()).is_err());
    assert!(bulkhead.try_acquire().is_err());
    gauges(1, 2);
    drop(held);
    gauges(1, 1);
    bulkhead.set_limit(3).unwrap();
    gauges(2, 0);
    let [first, second] = waiting;
    drop(first);
    gauges(1, 0);
    bulkhead.set_limit(1).unwrap();
    let mut in_vain = task::spawn(bulkhead.acquire());
    assert_pending!(in_vain.poll());
    gauges(1, 1);
    advance(SECOND).await;
    assert!(assert_ready!(in_vain.poll()).is_err());
    assert_eq!(gauges(1, 0), 1);
    drop(second);
    gauges(0, 0);
}

/// ME-10: requests, retries and ends of retrying are counted once each, and the balance is the budget's.
#[tokio::test(start_paused = true)]
async fn a_retry() {
    let shown = Shown::new();
    let budget = RetryBudget::builder().ratio(1.0).floor(1).refill_per_second(0).build().unwrap();
    let policy = RetryPolicy::builder("me-retry")
        .backoff(Backoff::constant(MS))
        .budget(budget.clone())
        .observer(MetricsObserver::new())
        .build()
        .unwrap();
    let counts = |requests, retries, exhausted, succeeded, empty| {
        shown.assert(&[
            (r#"retry_requests_total{name="me-retry"}"#, requests),
            (r#"retries_total{name="me-retry"}"#, retries),
            (r#"retry_stops_total{name="me-retry",reason="attempts_exhausted"}"#, exhausted),
            (r#"retry_stops_total{name="me-retry",reason="succeeded"}"#, succeeded),
            (r#"retry_stops_total{name="me-retry",reason="budget_empty"}"#, empty),
            (r#"retry_budget_tokens{name="me-retry"}"#, budget.balance()),
        ]);
    };
    let run = async |failures: u32| {
        let mut attempts = 0;
        let attempt = || {
            attempts += 1;
            std::future::ready(if attempts > failures { Ok(()) } else { Err(BoxError::from("down")) })
        };
        policy.run(attempt).await.is_ok()
    };
    counts(0, 0, 0, 0, 0);
    assert!(run(0).await);
    counts(1, 0, 0, 0, 0);
    assert!(run(1).await);
    counts(2, 1, 0, 1, 0);
    assert!(!run(3).await);
    counts(3, 3, 1, 1, 0);
    assert!(run(2).await);
    assert_eq!(budget.balance(), 0);
    counts(4, 5, 1, 2, 0);
    // One token for this request, and none for its second retry.
    assert!(!run(3).await);
    counts(5, 6, 1, 2, 1);
    // A request dropped while it waits was retried, and did not stop.
    let mut dropped = task::spawn(run(3));
    assert_pending!(dropped.poll());
    drop(dropped);
    counts(6, 7, 1, 2, 1);
    // Without a budget there is no balance.
    let free = RetryPolicy::builder("me-free").no_budget().observer((TracingObserver, MetricsObserver::new()));
    free.build().unwrap().run(async || Ok::<_, BoxError>(())).await.unwrap();
    shown.assert(&[(r#"retry_requests_total{name="me-free"}"#, 1)]);
    assert_eq!(shown.value(r#"retry_budget_tokens{name="me-free"}"#), None);
}

/// ME-12: the example's stack yields the series that the example expects.
#[tokio::test(start_paused = true)]
async fn the_example() {
    let recorder = example_stack::recorder().unwrap();
    let handle = recorder.handle();
    let _installed = metrics::set_default_local_recorder(Box::leak(Box::new(recorder)));
    let stack = example_stack::Stack::new().unwrap();
    // Before anything happened, most are missing.
    assert!(example_expect::missing(&handle.render()).len() > 10);
    stack.drive().await;
    assert_eq!(example_expect::missing(&handle.render()), [""; 0], "{}", handle.render());
    tokio::time::advance(Duration::ZERO).await;
}
