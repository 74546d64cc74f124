//! What the notes under the table say that other crates do not do. A test that fails here is good news for that crate,
//! and its note must go.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use circuitbreaker_rs::{BreakerPolicy, CircuitBreaker, DefaultPolicy, HookRegistry, MetricSink};
use circuitbreaker_rs::{State, TimeBasedPolicy};
use seaworthy_peers::{Ask, Entry, Failure, Inner, Row, entries};
use tower_layer::Layer;
use tower_resilience_circuitbreaker::{CircuitBreakerLayer, CircuitState};
use tower_service::Service;

/// 200 successes, then 100 failures: the last 100 calls all failed, and the circuit is closed.
#[test]
fn the_count_window_of_tower_resilience_does_not_slide() {
    let layer = CircuitBreakerLayer::builder().sliding_window_size(100).build();
    let mut service = layer.expect("valid").layer(Inner::<Failure>::new());
    let mut call = |ask| {
        let mut cx = Context::from_waker(Waker::noop());
        assert!(service.poll_ready(&mut cx).is_ready());
        assert!(pin!(service.call(ask)).poll(&mut cx).is_ready());
        service.state_sync()
    };
    for _ in 0..200 {
        assert_eq!(call(Ask::Succeed), CircuitState::Closed);
    }
    for _ in 0..100 {
        assert_eq!(call(Ask::Fail), CircuitState::Closed);
    }
}

struct NoSink;

impl MetricSink for NoSink {
    fn record_state_transition(&self, _: &str, _: &str) {}
    fn record_error_rate(&self, _: f64) {}
    fn record_probe_attempt(&self, _: bool) {}
    fn record_call(&self, _: bool, _: Duration) {}
}

fn closed<P: BreakerPolicy>(policy: P, open_for: Duration) -> CircuitBreaker<P, Failure> {
    let hooks = Arc::new(HookRegistry::new());
    CircuitBreaker::new(policy, open_for, 1, Arc::new(NoSink), hooks)
}

/// Nothing but failures, and the rate in the window is zero.
#[test]
fn the_time_window_of_circuitbreaker_rs_is_never_written() {
    let span = Duration::from_secs(10);
    let breaker = closed(TimeBasedPolicy::new(span, 10, 0.5, 20, span, 1), span);
    for _ in 0..1_000 {
        let _ = breaker.call(|| Err::<(), _>(Failure));
    }
    assert_eq!(breaker.current_state(), State::Closed);
}

/// The probe has succeeded, another success is needed, and no further probe is let through.
#[test]
fn circuitbreaker_rs_gives_no_probe_back() {
    let breaker = closed(DefaultPolicy::new(0.5, 10, 5, 3), Duration::from_millis(5));
    for _ in 0..5 {
        assert!(breaker.call(|| Err::<(), _>(Failure)).is_err());
    }
    assert_eq!(breaker.current_state(), State::Open);
    thread::sleep(Duration::from_millis(10));
    assert!(breaker.call(|| Ok(())).is_ok());
    assert!(breaker.call(|| Ok(())).is_ok());
    thread::sleep(Duration::from_millis(10));
    assert!(breaker.call(|| Ok(())).is_err());
    assert_eq!(breaker.current_state(), State::HalfOpen);
}

/// Half-open, and a second call passes while the first is in flight.
#[test]
fn failsafe_and_recloser_do_not_limit_probes() {
    let open_for = Duration::from_millis(5);
    let policy = failsafe::failure_policy::consecutive_failures(1, failsafe::backoff::constant(open_for));
    let failsafe = failsafe::Config::new().failure_policy(policy).build();
    let recloser = recloser::Recloser::custom().closed_len(1).open_wait(open_for).build();
    let fail = || Err::<(), _>(Failure);
    for _ in 0..2 {
        assert!(failsafe::CircuitBreaker::call(&failsafe, fail).is_err());
        assert!(recloser.call(fail).is_err());
    }
    assert!(!failsafe.is_call_permitted());
    assert!(matches!(recloser.call(fail), Err(recloser::Error::Rejected)));

    thread::sleep(Duration::from_millis(10));
    let second = failsafe::CircuitBreaker::call(&failsafe, || Ok::<_, Failure>(failsafe.is_call_permitted()));
    assert!(second.is_ok_and(|permitted| permitted));
    assert!(recloser.call(|| recloser.call(|| Ok::<_, Failure>(()))).is_ok());
}

fn entry(name: &str) -> Entry {
    let mut entries = entries().into_iter();
    entries.find(|entry| entry.name == name).expect("a peer of this name")
}

/// The rows for which each crate has nothing, so that none is lost by accident.
#[test]
fn what_is_missing_is_known() {
    let missing = |name| {
        let bench = entry(name).bench;
        Row::ALL.into_iter().filter(|row| bench(*row).is_none()).count()
    };
    assert_eq!(missing("tower-resilience"), 0);
    assert_eq!(missing("recloser"), 4, "time windows, half-open");
    assert_eq!(missing("failsafe"), 2, "count window, half-open");
    assert_eq!(missing("circuitbreaker-rs"), 4, "windows");
    assert_eq!(missing("throttle-net"), 0);
    assert_eq!(missing("seatbelt"), 1, "count window");
}
