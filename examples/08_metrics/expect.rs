//! What must be there after the stack was driven.

/// Prefixes of lines, including the value where it is certain.
const EXPECTED: [&str; 24] = [
    "# TYPE seaworthy_circuit_breaker_calls_total counter",
    "# TYPE seaworthy_circuit_breaker_call_duration_seconds histogram",
    "# TYPE seaworthy_circuit_breaker_state gauge",
    r#"seaworthy_circuit_breaker_calls_total{name="backend",outcome="success"} 13"#,
    r#"seaworthy_circuit_breaker_calls_total{name="backend",outcome="failure"} 3"#,
    r#"seaworthy_circuit_breaker_calls_total{name="backend",outcome="ignored"} 2"#,
    r#"seaworthy_circuit_breaker_calls_total{name="backend",outcome="throttled"} 0"#,
    r#"seaworthy_circuit_breaker_call_duration_seconds_count{name="backend",outcome="failure"} 3"#,
    r#"seaworthy_circuit_breaker_call_duration_seconds_bucket{name="backend",outcome="success",le="#,
    r#"seaworthy_circuit_breaker_state{name="backend",state="closed"} 1"#,
    r#"seaworthy_circuit_breaker_state{name="backend",state="open"} 0"#,
    r#"seaworthy_circuit_breaker_state{name="backend",state="half_open"} 0"#,
    r#"seaworthy_circuit_breaker_transitions_total{name="backend",from="half_open",to="closed"} 1"#,
    r#"seaworthy_circuit_breaker_opened_total{name="backend",cause="consecutive_failures"} 1"#,
    r#"seaworthy_rejections_total{name="backend",reason="circuit_open"} 6"#,
    r#"seaworthy_rejections_total{name="backend",reason="bulkhead_full"} 1"#,
    r#"seaworthy_rejections_total{name="backend",reason="bulkhead_wait_over"} 1"#,
    r#"seaworthy_bulkhead_limit{name="backend"} 2"#,
    r#"seaworthy_bulkhead_permits_in_use{name="backend"} 0"#,
    r#"seaworthy_bulkhead_queued{name="backend"} 0"#,
    r#"seaworthy_retries_total{name="backend"} 2"#,
    r#"seaworthy_retry_stops_total{name="backend",reason="attempts_exhausted"} 1"#,
    r#"seaworthy_retry_budget_tokens{name="backend"}"#,
    r#"seaworthy_timeouts_total{name="backend",limit="response"} 2"#,
];

/// The expected lines that are missing.
pub(crate) fn missing(text: &str) -> Vec<&'static str> {
    let is_there = |expected: &str| {
        text.lines().any(|line| match line.strip_prefix(expected) {
            Some("") => true,
            // Anything more is a longer number, unless the value was left open.
            Some(rest) => expected.ends_with(['}', '=']) && !rest.is_empty(),
            None => false,
        })
    };
    EXPECTED.into_iter().filter(|expected| !is_there(expected)).collect()
}
