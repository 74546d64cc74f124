//! Where errors of data point.

use seaworthy::Policies;

use super::data::{flaw, read};
use crate::support::SECOND;

/// SO-05: an error points at the value that breaks a rule or contradicts another one, not at its table.
#[test]
fn so_05_the_line_of_the_value() {
    let million = "must not be greater than 1,000,000";
    let share = "must be above 0 and at most 1";
    let bad: &[(&str, &str, usize)] = &[
        // By itself.
        (
            "[a.circuit_breaker]\nslow_call = \"1s\"\n\nslow_rate = 1.5",
            &format!("a.circuit_breaker.slow_rate: {share}"),
            4,
        ),
        (
            "[a.circuit_breaker]\nmax_concurrent_probes = 2\nfailure_rate = -0.5",
            &format!("a.circuit_breaker.failure_rate: {share}"),
            3,
        ),
        ("[a.retry.budget]\nfloor = 3\nratio = inf", &format!("a.retry.budget.ratio: {share}"), 3),
        (
            "[a.circuit_breaker]\nopen_for = \"1s\"\nmax_concurrent_probes = 1001",
            "a.circuit_breaker.max_concurrent_probes: must not be greater than 1,000",
            3,
        ),
        (
            "[a.circuit_breaker]\nmax_concurrent_probes = 1\nmax_trials = 1000001",
            &format!("a.circuit_breaker.max_trials: {million}"),
            3,
        ),
        (
            "[a.circuit_breaker]\n\nconsecutive_failures = 1000001",
            &format!("a.circuit_breaker.consecutive_failures: {million}"),
            3,
        ),
        ("[a.bulkhead]\nmax_wait = \"1s\"\nmax_queued = 1000001", &format!("a.bulkhead.max_queued: {million}"), 3),
        ("[a.retry.backoff]\ncap = \"1s\"\n\nfactor = nan", "a.retry.backoff.factor: must be at least 1", 4),
        // Beside another.
        (
            "[a.circuit_breaker]\nsuccess_threshold = 3\nmax_trials = 2",
            "a.circuit_breaker.success_threshold: must not be greater than `max_trials`",
            2,
        ),
        (
            "[a.circuit_breaker]\nmax_trials = 2\nmax_concurrent_probes = 3",
            "a.circuit_breaker.max_trials: must not be less than `max_concurrent_probes`",
            2,
        ),
        (
            "[a.circuit_breaker]\nfailure_rate = 0.5\nminimum_calls = 21\ncount_window = 20",
            "a.circuit_breaker.minimum_calls: must not be greater than the count window",
            3,
        ),
        (
            "[a.circuit_breaker]\nfailure_rate = 0.5\ntime_window = \"1s\"\ncount_window = 20",
            "a.circuit_breaker.time_window: must not be set together with `count_window`",
            3,
        ),
        (
            "[a.circuit_breaker.open_backoff]\nbase = \"3s\"\nfactor = 2.0\ncap = \"2s\"",
            "a.circuit_breaker.open_backoff.cap: must not be below the base",
            4,
        ),
        ("[a.retry.backoff]\nbase = \"2s\"\ncap = \"1s\"", "a.retry.backoff.cap: must not be below the base", 3),
        // In other parts.
        ("[a]\ntimeout = \"2s\"\ntotal_timeout = \"2s\"", "a.total_timeout: must be longer than `timeout`", 3),
        (
            "[a]\ntotal_timeout = \"2s\"\nclasses.x.timeout = \"3s\"",
            "a.total_timeout: must be longer than `classes.x.timeout`",
            2,
        ),
        (
            "[a]\ntimeout = \"1s\"\ncircuit_breaker = { slow_call = \"1s\", slow_rate = 0.5 }",
            "a.timeout: must be longer than `circuit_breaker.slow_call`",
            2,
        ),
        (
            "[a]\ncircuit_breaker.on_drop.failure_after = \"2s\"\n\ntotal_timeout = \"1s\"",
            "a.total_timeout: must be longer than `circuit_breaker.on_drop.failure_after`",
            4,
        ),
    ];
    let wrong = bad.iter().filter(|(text, message, line)| flaw(text) != (message.to_string(), *line));
    let wrong: Vec<_> = wrong.map(|(text, ..)| (text, flaw(text))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for fine in [
        "[a.circuit_breaker]\nsuccess_threshold = 3\nmax_trials = 3\nmax_concurrent_probes = 3",
        "[a.circuit_breaker]\nfailure_rate = 1\nminimum_calls = 500\ncount_window = 500",
        "[a.retry.backoff]\nbase = \"2s\"\ncap = \"2s\"\nfactor = 1.0",
        "[a]\ntimeout = \"1s\"\nclasses.x.timeout = \"3s\"\ncircuit_breaker = { slow_call = \"2s\", slow_rate = 0.5 }",
        "[a]\ntimeout = \"2s\"\ntotal_timeout = \"3s\"\nclasses.x = { total_timeout = false, timeout = \"5s\" }",
    ] {
        read(fine);
    }
    assert_eq!(
        read("[a]\ntimeout = \"2s\"\ntotal_timeout = \"3s\"").get("a").unwrap().total_timeout(),
        Some(3 * SECOND)
    );
}

/// SO-05: a missing key has no line: the key that needs it is named, and its table is pointed at.
#[test]
fn so_05_what_is_missing() {
    for (text, message) in [
        ("[a.circuit_breaker]\nslow_rate = 0.5", "a.circuit_breaker.slow_rate: needs `slow_call`"),
        ("[a.bulkhead]\nmax_queued = 3", "a.bulkhead.max_queued: means nothing without `max_wait`"),
        ("[a]\nclasses.x.bulkhead = false", "a.classes.x.bulkhead: must not be left out: the policy has none"),
        ("[a]\nclasses.x.timeout = false", "a.classes.x.timeout: must not be left out: the policy has none"),
    ] {
        assert_eq!(flaw(text), (message.to_owned(), 1));
    }
}

/// SO-05: whatever the order of the keys, a contradiction is found, and none that a later key resolves.
#[test]
fn so_05_any_order() {
    let wrong = |text: &str| serde_json::from_str::<Policies>(text).unwrap_err().to_string();
    for (text, message) in [
        (r#"{"a": {"total_timeout": "2s", "timeout": "2s"}}"#, "a.timeout: must be shorter than `total_timeout`"),
        (
            r#"{"a": {"total_timeout": "2s", "classes": {"x": {"timeout": "2s"}}}}"#,
            "a.classes.x.timeout: must be shorter than `total_timeout`",
        ),
        (
            r#"{"a": {"timeout": "1s", "circuit_breaker": {"slow_rate": 1, "slow_call": "1s"}}}"#,
            "a.circuit_breaker.slow_call: must be shorter than the policy's `timeout`",
        ),
        (
            r#"{"a": {"circuit_breaker": {"max_trials": 1, "success_threshold": 2}}}"#,
            "a.circuit_breaker.success_threshold: must not be greater than `max_trials`",
        ),
        (
            r#"{"a": {"circuit_breaker": {"success_threshold": 2, "max_trials": 1}}}"#,
            "a.circuit_breaker.max_trials: must not be less than `success_threshold`",
        ),
        (
            r#"{"a": {"circuit_breaker": {"failure_rate": 1, "minimum_calls": 9, "count_window": 8}}}"#,
            "a.circuit_breaker.count_window: must not be less than `minimum_calls`",
        ),
        (
            r#"{"a": {"circuit_breaker": {"open_for": "1s", "open_backoff": {"base": "1s", "cap": "1s"}}}}"#,
            "a.circuit_breaker.open_backoff: must not be set together with `open_for`",
        ),
        (
            r#"{"a": {"retry": {"backoff": {"cap": "1s", "base": "2s"}}}}"#,
            "a.retry.backoff.base: must not be above the cap",
        ),
        (
            r#"{"a": {"retry": {"backoff": {"cap": "1ms"}}}}"#,
            "a.retry.backoff.cap: must not be below the base, which is 500ms",
        ),
        (r#"{"a": {"timeout": "1s", "timeout": "2s"}}"#, "a.timeout: it is there twice"),
    ] {
        assert!(wrong(text).starts_with(message), "{}", wrong(text));
    }
    for fine in [
        r#"{"a": {"circuit_breaker": {"slow_rate": 1, "slow_call": "2s"}, "timeout": "1s", "classes": {"x": {"timeout": "3s"}}}}"#,
        r#"{"a": {"circuit_breaker": {"minimum_calls": 500, "failure_rate": 1, "count_window": 600}}}"#,
        r#"{"a": {"circuit_breaker": {"slow_rate": 1, "slow_call": "1s"}}}"#,
    ] {
        assert!(serde_json::from_str::<Policies>(fine).is_ok(), "{fine}");
    }
}

/// SO-05: a slip in a key is recognised, at every depth.
#[test]
fn so_05_did_you_mean() {
    for (text, start) in [
        ("[a]\ntimout = \"1s\"", "a.timout: there is no such key; did you mean timeout? There are circuit_breaker, "),
        (
            "[a.circuit_breaker]\nopen_fro = \"1s\"",
            "a.circuit_breaker.open_fro: there is no such key; did you mean open_for? ",
        ),
        ("[a.retry.budget]\nflor = 1", "a.retry.budget.flor: there is no such key; did you mean floor? "),
        ("[a.classes]\nx.bulkheads = false", "a.classes.x.bulkheads: there is no such key; did you mean bulkhead? "),
        ("[a]\nbudget = \"1s\"", "a.budget: there is no such key; there are circuit_breaker, "),
    ] {
        assert!(flaw(text).0.starts_with(start), "{:?}", flaw(text));
    }
}
