//! Settings that cannot be used.

use std::time::Duration;

use seaworthy::circuit_breaker::CircuitBreakerBuilder;
use seaworthy::{Backoff, CircuitBreaker, OnDrop};

use crate::support::SECOND;

type Set = fn(CircuitBreakerBuilder) -> CircuitBreakerBuilder;

/// CB-26: Bad configuration is a typed error that names the field.
#[test]
fn cb_26_bad_settings() {
    let table: &[(&str, Set)] = &[
        ("name", |b| b.name("")),
        ("consecutive_failures", |b| b.consecutive_failures(0)),
        ("consecutive_failures", |b| b.consecutive_failures(1_000_001)),
        ("consecutive_failures", |b| b.consecutive_failures(u32::MAX)),
        ("failure_rate", |b| b.failure_rate(0.0)),
        ("failure_rate", |b| b.failure_rate(-0.1)),
        ("failure_rate", |b| b.failure_rate(1.000_001)),
        ("failure_rate", |b| b.failure_rate(f64::NAN)),
        ("failure_rate", |b| b.failure_rate(f64::INFINITY)),
        ("slow_rate", |b| b.slow_call(SECOND).slow_rate(0.0)),
        ("slow_rate", |b| b.slow_call(SECOND).slow_rate(1.5)),
        ("slow_rate", |b| b.slow_call(SECOND).slow_rate(f64::NAN)),
        ("slow_rate", |b| b.slow_rate(0.5)),
        ("slow_call", |b| b.slow_call(Duration::ZERO)),
        ("count_window", |b| b.failure_rate(0.5).count_window(0)),
        ("count_window", |b| b.failure_rate(0.5).count_window(1_000_001)),
        ("count_window", |b| b.count_window(10)),
        ("time_window", |b| b.failure_rate(0.5).time_window(Duration::ZERO)),
        ("time_window", |b| b.time_window(SECOND)),
        ("time_window", |b| b.failure_rate(0.5).time_window(SECOND).count_window(10)),
        ("minimum_calls", |b| b.failure_rate(0.5).minimum_calls(0)),
        ("minimum_calls", |b| b.failure_rate(0.5).time_window(SECOND).minimum_calls(1_000_001)),
        ("minimum_calls", |b| b.failure_rate(0.5).count_window(10).minimum_calls(11)),
        ("minimum_calls", |b| b.failure_rate(0.5).minimum_calls(101)),
        ("minimum_calls", |b| b.minimum_calls(5)),
        ("open_for", |b| b.open_for(Duration::ZERO)),
        ("open_backoff", |b| b.open_backoff(Backoff::exponential(Duration::ZERO, SECOND))),
        ("open_backoff", |b| b.open_backoff(Backoff::exponential(2 * SECOND, SECOND))),
        ("open_backoff", |b| b.open_backoff(Backoff::exponential(SECOND, SECOND).factor(0.99))),
        ("open_backoff", |b| b.open_backoff(Backoff::exponential(SECOND, SECOND).factor(f64::NAN))),
        ("max_concurrent_probes", |b| b.max_concurrent_probes(0)),
        ("max_concurrent_probes", |b| b.max_concurrent_probes(2)),
        ("max_concurrent_probes", |b| b.max_trials(5).max_concurrent_probes(6)),
        ("max_concurrent_probes", |b| b.max_trials(10_000).max_concurrent_probes(1_001)),
        ("max_trials", |b| b.max_trials(0)),
        ("max_trials", |b| b.max_trials(1_000_001)),
        ("success_threshold", |b| b.success_threshold(0)),
        ("success_threshold", |b| b.success_threshold(3).max_trials(2)),
        ("success_threshold", |b| b.success_threshold(1_000_001)),
        ("probe_timeout", |b| b.probe_timeout(Duration::ZERO)),
    ];
    for (index, (field, set)) in table.iter().enumerate() {
        let error = set(CircuitBreaker::builder("x")).build().expect_err(&format!("row {index}, {field}"));
        assert_eq!(error.field(), *field, "row {index}: {error}");
        let of = if *field == "name" { "circuit breaker" } else { "circuit breaker `x`" };
        assert_eq!(error.to_string(), format!("{of}: {field} is {}, {}", error.value(), error.rule()));
    }
}

/// CB-26: What is just within the rules is accepted.
#[test]
fn cb_26_settings_at_the_edge() {
    let table: &[Set] = &[
        |b| b,
        |b| b.consecutive_failures(1),
        |b| b.consecutive_failures(1_000_000),
        |b| b.failure_rate(f64::MIN_POSITIVE).count_window(1),
        |b| b.failure_rate(1.0).count_window(1_000_000),
        |b| b.failure_rate(1.0).minimum_calls(100),
        |b| b.failure_rate(0.5).time_window(Duration::from_nanos(1)).minimum_calls(1_000_000),
        |b| b.failure_rate(0.5).time_window(Duration::MAX),
        |b| b.slow_call(Duration::from_nanos(1)),
        |b| b.slow_call(Duration::MAX).slow_rate(1.0),
        |b| b.open_for(Duration::from_nanos(1)),
        |b| b.open_for(Duration::MAX),
        |b| b.open_backoff(Backoff::exponential(SECOND, SECOND).factor(1.0)),
        |b| b.open_backoff(Backoff::exponential(SECOND, Duration::MAX).factor(f64::INFINITY)),
        |b| {
            b.max_concurrent_probes(1_000)
                .max_trials(1_000_000)
                .success_threshold(1_000_000)
                .probe_timeout(Duration::MAX)
        },
        |b| b.on_drop(OnDrop::FailureAfter(Duration::ZERO)).observe_only(),
        |b| b.name(String::from("made")),
    ];
    for (index, set) in table.iter().enumerate() {
        let circuit_breaker =
            set(CircuitBreaker::builder("x")).build().unwrap_or_else(|error| panic!("row {index}: {error}"));
        // And it works.
        for _ in 0..3 {
            circuit_breaker.admit().map(|permit| permit.settle(seaworthy::Verdict::Failure)).ok();
            circuit_breaker.admit().map(|permit| permit.settle(seaworthy::Verdict::Success)).ok();
            let _ = circuit_breaker.snapshot();
        }
    }
}
