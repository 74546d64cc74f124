//! Policies from data.

use proptest::prelude::*;
use seaworthy::observe::CircuitBreakerEvent;
use seaworthy::policy::{Class, PoliciesBuilder};
use seaworthy::{Event, Policies, Policy, State};
use tower::Layer;

use super::*;
use crate::support::{SECOND, advance};

pub(super) fn read(text: &str) -> Policies {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The message of TOML's error, and its line.
pub(super) fn flaw(text: &str) -> (String, usize) {
    let error = toml::from_str::<Policies>(text).expect_err(text);
    let at = error.span().unwrap_or_else(|| panic!("{error} has no place")).start;
    (error.message().to_owned(), text[..at].matches('\n').count() + 1)
}

/// PO-07: the five profiles of the file that documents the keys.
#[test]
fn po_07_the_five_profiles() {
    let policies = read(include_str!("../../../examples/policies.toml"));
    let profiles = [
        ("compute", Some(20), 120, Some(600), true),
        ("dns", None, 10, None, false),
        ("lb", None, 30, Some(120), false),
        ("network", Some(15), 30, None, true),
        ("storage", Some(10), 30, Some(300), true),
    ];
    assert_eq!(policies.len(), 5);
    for (policy, (name, bulkhead, timeout, long, ping)) in policies.iter().zip(profiles) {
        assert_eq!(policy.name().as_str(), name);
        assert_eq!(policy.bulkhead().map(|bulkhead| bulkhead.limit()), bulkhead, "{name}");
        assert_eq!(policy.timeout(), Some(timeout * SECOND), "{name}");
        let of = |seconds: u32| Class::new().timeout(seconds * SECOND);
        assert_eq!(policy.class("long").ok(), long.map(of), "{name}");
        assert_eq!(policy.class("ping").ok(), ping.then_some(of(5).without_bulkhead()), "{name}");
        assert!(policy.retry_policy().is_none(), "{name}");
        assert!(policy.circuit_breaker().is_some(), "{name}");
    }
}

/// PO-07: and they behave as the table says: 5 failures, 30 s, 2 successes, and 10 s of waiting.
#[tokio::test(start_paused = true)]
async fn po_07_profiles_behave() {
    let policies = read(include_str!("../../../examples/policies.toml"));
    for policy in policies.iter() {
        let (name, backend, circuit_breaker) = (policy.name(), Backend::default(), policy.circuit_breaker().unwrap());
        for failed in 0..5 {
            assert_eq!((circuit_breaker.state(), failed), (State::Closed, failed), "{name}");
            Way::Run.ask(policy, &backend, Do::Fail).await.unwrap_err();
        }
        let open = Rejected::CircuitOpen { name: name.clone(), retry_after: Some(30 * SECOND).into() };
        assert_eq!(rejected(Way::Layer.ask(policy, &backend, Do::Answer).await), Some(open));
        advance(30 * SECOND).await;
        Way::Run.ask(policy, &backend, Do::Answer).await.unwrap();
        assert_eq!(circuit_breaker.state(), State::HalfOpen, "{name}: it needs a second one");
        Way::Run.ask(policy, &backend, Do::Answer).await.unwrap();
        assert_eq!(circuit_breaker.state(), State::Closed, "{name}");
        if let Some(bulkhead) = policy.bulkhead() {
            let _all: Vec<_> = (0..bulkhead.limit()).map(|_| bulkhead.try_acquire().unwrap()).collect();
            let began = crate::support::now();
            let full = Rejected::BulkheadFull { name: name.clone(), retry_after: None.into() };
            assert_eq!(rejected(Way::Run.ask(policy, &backend, Do::Answer).await), Some(full));
            assert_eq!(crate::support::now() - began, 10 * SECOND, "{name}");
        }
    }
}

/// PO-06: anything left out has the documented default: a part that is not named is absent, one that is has its own.
#[tokio::test(start_paused = true)]
async fn po_06_defaults() {
    let policies = read("[nothing]\n[all]\ncircuit_breaker = {}\nbulkhead = {}\nretry = {}\nclasses.other = {}\n");
    let nothing = policies.get("nothing").unwrap();
    assert!(nothing.circuit_breaker().is_none() && nothing.bulkhead().is_none() && nothing.retry_policy().is_none());
    assert_eq!(nothing.timeout(), None);
    let code = Policy::builder("all")
        .circuit_breaker(|circuit_breaker| circuit_breaker)
        .bulkhead(|bulkhead| bulkhead)
        .retry(|retry| retry);
    let code = code.class("other", Class::new()).build().unwrap();
    let data = policies.get("all").unwrap();
    assert_eq!(format!("{data:?}"), format!("{code:?}"));
    assert_eq!(data.class("other"), Ok(Class::new()));
    assert_eq!(data.circuit_breaker().unwrap().name().as_str(), "all");
    // Five failures, and rejected for 30 s.
    settle(data.circuit_breaker().unwrap(), &[Verdict::Failure; 5]);
    assert_eq!(data.snapshot().circuit_breaker.unwrap().retry_after, Some(30 * SECOND));
}

/// PO-06: every key reaches the setter of its name: the handles are what the builders would have made of them.
#[test]
fn po_06_every_key() {
    let policies = read(
        r#"
        [all]
        timeout = "1min 30s"
        [all.circuit_breaker]
        consecutive_failures = 7
        failure_rate = 0.25
        slow_rate = 1
        slow_call = "250ms"
        time_window = "20s"
        minimum_calls = 3
        open_backoff = { base = "1s", cap = "10s", factor = 3.0, jitter = "equal" }
        max_concurrent_probes = 2
        success_threshold = 3
        max_trials = 4
        probe_timeout = "9s"
        on_drop = { failure_after = "2s" }
        observe_only = true
        [all.bulkhead]
        limit = 3
        max_wait = "5s"
        max_queued = 6
        [all.retry]
        attempts = 4
        backoff = { base = "10ms", cap = "1s", factor = 1.5, jitter = "none" }
        deadline = "3s"
        max_retry_after = "4s"
        budget = { ratio = 0.5, window = "7s", floor = 0, refill_per_second = 2 }
        [all.classes]
        a = { timeout = "7s", circuit_breaker = false }
        b = { timeout = false, bulkhead = false, retry = false }
        c = { circuit_breaker = true, bulkhead = true, retry = true }
        [counted.circuit_breaker]
        failure_rate = 0.5
        count_window = 40
        on_drop = "failure"
        [free.retry]
        budget = false
        "#,
    );
    let all = policies.get("all").unwrap();
    let backoff = Backoff::exponential(10 * MS, SECOND).factor(1.5).jitter(seaworthy::Jitter::None);
    let budget = seaworthy::RetryBudget::builder().ratio(0.5).window(7 * SECOND).floor(0).refill_per_second(2);
    let retry = seaworthy::RetryPolicy::builder("all").attempts(4).backoff(backoff).deadline(3 * SECOND);
    let retry = retry.max_retry_after(4 * SECOND).budget(budget.build().unwrap()).build().unwrap();
    assert_eq!(format!("{:?}", all.retry_policy().unwrap()), format!("{retry:?}"));
    assert_eq!((all.timeout(), all.bulkhead().unwrap().limit()), (Some(90 * SECOND), 3));
    assert_eq!(all.class("a"), Ok(Class::new().timeout(7 * SECOND).without_circuit_breaker()));
    assert_eq!(all.class("b"), Ok(Class::new().without_timeout().without_bulkhead().without_retry()));
    assert_eq!(all.class("c"), Ok(Class::new()));
    assert!(policies.get("free").unwrap().retry_policy().unwrap().budget().is_none());
    // It does not reject, however broken its rules are; `observe_only` says so.
    settle(all.circuit_breaker().unwrap(), &[Verdict::Failure; 20]);
    assert_eq!(all.circuit_breaker().unwrap().state(), State::Closed);
    // 40 calls, half of them failures, one of them dropped.
    let counted = policies.get("counted").unwrap().circuit_breaker().unwrap();
    for _ in 0..20 {
        settle(counted, &[Verdict::Success]);
    }
    settle(counted, &[Verdict::Failure; 19]);
    assert_eq!(counted.state(), State::Closed);
    drop(counted.admit().unwrap());
    assert_eq!(counted.state(), State::Open);
}

/// PO-06: each wrong file has one error, with the path of the key, the rule and the line.
#[test]
fn po_06_bad_input() {
    let duration = r#"such as "30s" or "1min 30s""#;
    let circuit_keys = "consecutive_failures, failure_rate, slow_rate, slow_call, count_window, time_window, \
        minimum_calls, open_for, open_backoff, max_concurrent_probes, success_threshold, max_trials, probe_timeout, on_drop, \
        on_deadline, observe_only, until_body_end, settle_early, on_body_drop";
    let bad: &[(&str, &str, usize)] = &[
        // Unknown keys, at every depth.
        (
            "[a]\nretries = 3",
            "a.retries: there is no such key; there are circuit_breaker, bulkhead, timeout, total_timeout, deadline, \
             body_idle_timeout, body_timeout, retry, classes",
            2,
        ),
        (
            "[a.circuit_breaker]\nopen = \"1s\"",
            &format!("a.circuit_breaker.open: there is no such key; there are {circuit_keys}"),
            2,
        ),
        (
            "[a.bulkhead]\nslots = 3",
            "a.bulkhead.slots: there is no such key; there are limit, max_wait, max_queued, retry_after",
            2,
        ),
        (
            "[a.retry.budget]\nrate = 3",
            "a.retry.budget.rate: there is no such key; there are ratio, window, floor, refill_per_second",
            2,
        ),
        (
            "[a.classes]\nlong = { time = \"3s\" }",
            "a.classes.long.time: there is no such key; there are timeout, total_timeout, circuit_breaker, bulkhead, retry",
            2,
        ),
        (
            "[a.circuit_breaker]\non_drop = { after = \"3s\" }",
            "a.circuit_breaker.on_drop.after: there is no such key; there are failure_after",
            2,
        ),
        // Zeros.
        ("[a]\n\ntimeout = \"0s\"", "a.timeout: must be longer than zero", 3),
        ("[a.circuit_breaker]\nopen_for = \"0ms\"", "a.circuit_breaker.open_for: must be longer than zero", 2),
        ("[a.circuit_breaker]\nsuccess_threshold = 0", "a.circuit_breaker.success_threshold: must be at least 1", 2),
        (
            "[a.circuit_breaker]\nconsecutive_failures = 0",
            "a.circuit_breaker.consecutive_failures: must be at least 1",
            2,
        ),
        ("[a.circuit_breaker]\nfailure_rate = 0", "a.circuit_breaker.failure_rate: must be above 0 and at most 1", 2),
        ("[a.circuit_breaker]\nfailure_rate = nan", "a.circuit_breaker.failure_rate: must be above 0 and at most 1", 2),
        (
            "[a.circuit_breaker]\non_drop.failure_after = \"0s\"",
            "a.circuit_breaker.on_drop.failure_after: must be longer than zero",
            2,
        ),
        ("[a.bulkhead]\nlimit = 0", "a.bulkhead.limit: must be at least 1", 2),
        ("[a.bulkhead]\nmax_wait = \"0s\"", "a.bulkhead.max_wait: must be longer than zero", 2),
        ("[a.bulkhead]\nmax_wait = \"1s\"\nmax_queued = 0", "a.bulkhead.max_queued: must be at least 1", 3),
        ("[a.retry]\nattempts = 0", "a.retry.attempts: must be at least 1", 2),
        ("[a.retry]\ndeadline = \"0s\"", "a.retry.deadline: must be longer than zero", 2),
        ("[a.retry]\nbackoff = { base = \"0s\" }", "a.retry.backoff.base: must be longer than zero", 2),
        ("[a.retry]\nbudget.ratio = 0.0", "a.retry.budget.ratio: must be above 0 and at most 1", 2),
        ("[a.retry]\nbudget.window = \"0s\"", "a.retry.budget.window: must be longer than zero", 2),
        ("[a.classes]\nx.timeout = \"0s\"", "a.classes.x.timeout: must be longer than zero", 2),
        // Numbers that do not fit.
        ("[a.bulkhead]\nlimit = -1", "a.bulkhead.limit: must be at least 1", 2),
        ("[a.bulkhead]\nlimit = 2000000", "a.bulkhead.limit: must not be greater than 1,000,000", 2),
        ("[a.bulkhead]\nlimit = 5000000000", "a.bulkhead.limit: must not be greater than 1,000,000", 2),
        ("[a.retry]\nbudget.floor = -1", "a.retry.budget.floor: must be at least 0", 2),
        ("[a.retry]\nbudget.ratio = 1.5", "a.retry.budget.ratio: must be above 0 and at most 1", 2),
        // Wrong types.
        ("a = 3", "invalid type: integer `3`, expected a table for a", 1),
        ("[a]\ncircuit_breaker = true", "invalid type: boolean `true`, expected a table for a.circuit_breaker", 2),
        (
            "[a]\ntimeout = 30",
            &format!("invalid type: integer `30`, expected a duration in text for a.timeout, {duration}"),
            2,
        ),
        (
            "[a.circuit_breaker]\nsuccess_threshold = \"2\"",
            "invalid type: string \"2\", expected a whole number for a.circuit_breaker.success_threshold",
            2,
        ),
        (
            "[a.circuit_breaker]\nsuccess_threshold = 2.5",
            "invalid type: floating point `2.5`, expected a whole number for a.circuit_breaker.success_threshold",
            2,
        ),
        (
            "[a.circuit_breaker]\nfailure_rate = \"half\"",
            "invalid type: string \"half\", expected a number for a.circuit_breaker.failure_rate",
            2,
        ),
        (
            "[a.circuit_breaker]\nobserve_only = 1",
            "invalid type: integer `1`, expected true or false for a.circuit_breaker.observe_only",
            2,
        ),
        (
            "[a.circuit_breaker]\non_drop = 1",
            "invalid type: integer `1`, expected a table for a.circuit_breaker.on_drop, or one of \"ignore\", \"failure\"",
            2,
        ),
        (
            "[a.retry]\nbudget = \"none\"",
            "invalid type: string \"none\", expected a table for a.retry.budget, or false",
            2,
        ),
        ("[a.retry]\nbudget = true", "invalid type: boolean `true`, expected a table for a.retry.budget, or false", 2),
        ("[a]\nclasses = 1", "invalid type: integer `1`, expected a table of classes by name for a.classes", 2),
        ("[a.classes]\nlong = \"1s\"", "invalid type: string \"1s\", expected a table for a.classes.long", 2),
        ("[a.classes]\nx.timeout = true", "a.classes.x.timeout: must be a duration, or false", 2),
        (
            "[a.classes]\nx.timeout = 1",
            &format!(
                "invalid type: integer `1`, expected a duration in text for a.classes.x.timeout, {duration}, or false"
            ),
            2,
        ),
        // Text with no meaning.
        (
            "[a]\ntimeout = \"soon\"",
            "a.timeout: \"soon\" is no duration, such as \"30s\" or \"1min 30s\": there is no number before \"soon\"",
            2,
        ),
        (
            "[a]\ntimeout = \"30\"",
            "a.timeout: \"30\" is no duration, such as \"30s\" or \"1min 30s\": 30 has no unit, as in \"30s\" or \"30ms\"",
            2,
        ),
        (
            "[a.circuit_breaker]\non_drop = \"panic\"",
            "a.circuit_breaker.on_drop: \"panic\" is none of \"ignore\", \"failure\"",
            2,
        ),
        (
            "[a.retry]\nbackoff.jitter = \"some\"",
            "a.retry.backoff.jitter: \"some\" is none of \"none\", \"full\", \"equal\"",
            2,
        ),
        // Contradictions.
        (
            "[a.circuit_breaker]\nopen_for = \"1s\"\nopen_backoff = { base = \"1s\", cap = \"2s\" }",
            "a.circuit_breaker.open_for: must not be set together with `open_backoff`",
            2,
        ),
        ("[a.circuit_breaker]\nopen_backoff.base = \"1s\"", "a.circuit_breaker.open_backoff.cap: has to be set", 2),
        ("[a.circuit_breaker]\nopen_backoff = {}", "a.circuit_breaker.open_backoff.base: has to be set", 2),
        (
            "[a.circuit_breaker]\nopen_backoff = { base = \"3s\", cap = \"2s\" }",
            "a.circuit_breaker.open_backoff.cap: must not be below the base",
            2,
        ),
        ("[a.circuit_breaker]\nslow_rate = 0.5", "a.circuit_breaker.slow_rate: needs `slow_call`", 1),
        (
            "[a.circuit_breaker]\ncount_window = 3",
            "a.circuit_breaker.count_window: means nothing without `failure_rate` or `slow_rate`",
            1,
        ),
        ("[a.circuit_breaker]\non_drop = {}", "a.circuit_breaker.on_drop.failure_after: has to be set", 2),
        ("[a.bulkhead]\nmax_queued = 3", "a.bulkhead.max_queued: means nothing without `max_wait`", 1),
        ("[a.retry]\nbackoff.factor = 0.5", "a.retry.backoff.factor: must be at least 1", 2),
        (
            "[a.retry]\nbackoff.base = \"1h\"",
            "a.retry.backoff.base: must not be above the cap, which is 30s if not set",
            2,
        ),
        // Names.
        ("[\"\"]\n", "\"\": a name must not be empty", 1),
        ("[a.classes]\n\"\" = {}", "a.classes.\"\": a name must not be empty", 2),
        (
            "[\"a b\".circuit_breaker]\nmax_concurrent_probes = 0",
            "\"a b\".circuit_breaker.max_concurrent_probes: must be at least 1",
            2,
        ),
        ("[a]\n[a]", "duplicate key", 2),
    ];
    let wrong = bad.iter().filter(|(text, message, line)| flaw(text) != (message.to_string(), *line));
    let wrong: Vec<_> = wrong.map(|(text, ..)| (text, flaw(text))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// SO-03: a duration at the edge of the range is read, and one beyond it is an error that names the key, wherever
/// durations are read.
#[test]
fn so_03_the_longest_durations() {
    let longest = "18446744073709551615s 999999999ns";
    assert_eq!(read(&format!("[a]\ntimeout = \"{longest}\"")).get("a").unwrap().timeout(), Some(Duration::MAX));
    for key in ["timeout", "circuit_breaker.open_for", "bulkhead.max_wait", "retry.deadline", "classes.x.timeout"] {
        for beyond in ["18446744073709551615s 1000000000ns", "18446744073709551616s", "18446744073709551615years"] {
            let (message, line) = flaw(&format!("[a]\n{key} = \"{beyond}\""));
            assert!(message.starts_with(&format!("a.{key}: \"{beyond}\" is no duration")), "{message}");
            assert!(message.ends_with("it is longer than 18446744073709551615 seconds"), "{message}");
            assert_eq!(line, 2);
        }
    }
}

/// PO-06: settings from data are a template like those from code: two sets built from it share nothing, not even a
/// budget that the data sets up.
#[tokio::test(start_paused = true)]
async fn po_06_a_template() {
    let file = "[a.retry]\nbudget = { floor = 2 }\n[b.retry]\n[c.bulkhead]\n";
    let template: PoliciesBuilder = toml::from_str(file).unwrap();
    let [first, second] = [template.clone(), template].map(|template| template.build().unwrap());
    let budget = |set: &Policies, name| set.get(name).unwrap().retry_policy().unwrap().budget().unwrap().clone();
    for (name, floor) in [("a", 2), ("b", 10)] {
        assert!(budget(&first, name).withdraw());
        assert_eq!((budget(&first, name).balance(), budget(&second, name).balance()), (floor - 1, floor), "{name}");
    }
    let _permit = first.get("c").unwrap().bulkhead().unwrap().try_acquire().unwrap();
    assert_eq!(second.get("c").unwrap().bulkhead().unwrap().in_use(), 0);
}

/// PO-06: the observer of a set is the last one named, as with every builder; a policy's own takes precedence,
/// whichever was named first.
#[test]
fn po_06_the_last_observer() {
    let told = std::sync::Arc::<std::sync::Mutex<Vec<String>>>::default();
    let listener = |who: &'static str| {
        let told = std::sync::Arc::clone(&told);
        move |event: &Event<'_>| {
            if let Event::CircuitBreaker(CircuitBreakerEvent::Transition { name, .. }) = event {
                told.lock().unwrap().push(format!("{who} {name}"));
            }
        }
    };
    let set =
        toml::from_str::<PoliciesBuilder>("[a.circuit_breaker]\n[b.circuit_breaker]\n[c.circuit_breaker]\n").unwrap();
    let set = set.change("a", |policy| policy.observer(listener("own"))).unwrap();
    let set = set.observer(listener("first")).observer(listener("last"));
    let set = set.change("b", |policy| policy.observer(listener("own"))).unwrap().build().unwrap();
    set.iter().for_each(|policy| policy.circuit_breaker().unwrap().force_open());
    assert_eq!(*told.lock().unwrap(), ["own a", "own b", "last c"]);
}

/// PO-06: nothing is half-loaded: one mistake in the last of five is the whole answer.
#[test]
fn po_06_nothing_is_half_loaded() {
    let file =
        include_str!("../../../examples/policies.toml").replace("classes.long = { timeout = \"2min\" }", "x = 1");
    assert!(toml::from_str::<Policies>(&file).unwrap_err().message().starts_with("lb.x: there is no such key"));
}

/// PO-06: JSON means the same, and a duplicate key is found even if the format does not mind.
#[test]
fn po_06_json() {
    let read = |text: &str| serde_json::from_str::<Policies>(text);
    let policies =
        read(r#"{"a": {"timeout": "2min", "bulkhead": {"limit": 3}, "circuit_breaker": {"failure_rate": 1}}}"#)
            .unwrap();
    assert_eq!(policies.get("a").unwrap().timeout(), Some(120 * SECOND));
    assert_eq!(policies.get("a").unwrap().bulkhead().unwrap().limit(), 3);
    let bad = [
        (r#"{"a": {"timeout": "1s", "timeout": "2s"}}"#, "a.timeout: it is there twice at line 1 column 35"),
        (r#"{"a": {}, "a": {}}"#, "a: it is there twice at line 1 column 15"),
        (r#"{"a": {"classes": {"x": {}, "x": {}}}}"#, "a.classes.x: it is there twice at line 1 column 33"),
        (r#"{"a": {"bulkhead": {"limit": -1}}}"#, "a.bulkhead.limit: must be at least 1 at line 1 column 31"),
        (r#"{"a": null}"#, "invalid type: null, expected a table for a at line 1 column 10"),
        (
            r#"{"a": {"timeout": null}}"#,
            "invalid type: null, expected a duration in text for a.timeout, such as \"30s\" or \"1min 30s\" at line 1 column 22",
        ),
        (r"[1]", "invalid type: sequence, expected a table of policies by name at line 1 column 0"),
    ];
    let flaw = |text| read(text).unwrap_err().to_string();
    let wrong: Vec<_> =
        bad.iter().filter(|(text, message)| flaw(text) != *message).map(|(text, _)| flaw(text)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// PO-06: settings that data cannot express are added by code before building.
#[tokio::test(start_paused = true)]
async fn po_06_changes_by_code() {
    let builder: PoliciesBuilder = toml::from_str("[a]\ntimeout = \"5s\"\n[b.circuit_breaker]\n").unwrap();
    let missing = builder.clone().change("c", |policy| policy).unwrap_err();
    assert_eq!(missing.to_string(), "there is no policy `c`; there are `a`, `b`");
    let wrong = builder
        .clone()
        .change("b", |policy| policy.circuit_breaker(|circuit_breaker| circuit_breaker.max_concurrent_probes(0)))
        .unwrap();
    assert_eq!(wrong.build().unwrap_err().to_string(), "b.circuit_breaker.max_concurrent_probes: must be at least 1");
    let told = std::sync::Arc::new(std::sync::Mutex::new(vec![]));
    let lines = told.clone();
    let policies = builder
        .observer(move |event: &Event<'_>| lines.lock().unwrap().push(format!("{event:?}")))
        .change("a", |policy| policy.bulkhead(|bulkhead| bulkhead.limit(1)))
        .unwrap()
        .build()
        .unwrap();
    policies.get("b").unwrap().circuit_breaker().unwrap().force_open();
    Way::Run.ask(policies.get("a").unwrap(), &Backend::default(), Do::Hang).await.unwrap_err();
    assert_eq!(policies.get("a").unwrap().bulkhead().unwrap().limit(), 1);
    let told = told.lock().unwrap();
    assert!(told.len() == 2 && told[0].contains("\"b\"") && told[1].contains("\"a\""), "{told:?}");
}

/// Text that looks like a file of policies, right or wrong.
fn file() -> impl Strategy<Value = String> {
    let keys = [
        "consecutive_failures",
        "failure_rate",
        "slow_rate",
        "slow_call",
        "count_window",
        "time_window",
        "minimum_calls",
        "open_for",
        "max_concurrent_probes",
        "success_threshold",
        "max_trials",
        "probe_timeout",
        "on_drop",
        "observe_only",
        "limit",
        "max_wait",
        "max_queued",
        "attempts",
        "deadline",
        "timeout",
        "budget",
        "backoff",
        "open_backoff",
        "ratio",
        "floor",
        "x",
    ];
    let values = [
        "1",
        "0",
        "3",
        "-1",
        "20",
        "9999999999",
        "0.5",
        "nan",
        "inf",
        "1e300",
        "true",
        "false",
        "\"1s\"",
        "\"0s\"",
        "\"\"",
        "\"250ms\"",
        "\"584942417355years\"",
        "\"18446744073709551615s\"",
        "\"ignore\"",
        "\"failure\"",
        "{}",
        "[]",
        "{ base = \"1s\", cap = \"5s\" }",
        "{ failure_after = \"1s\" }",
        "{ ratio = 0.5 }",
        "2020-01-01",
    ];
    let table = prop::sample::select(
        &["circuit_breaker", "bulkhead", "retry", "retry.budget", "classes", "classes.long", ""][..],
    );
    let line = (prop::sample::select(keys.to_vec()), prop::sample::select(values.to_vec()));
    prop::collection::vec((table, prop::collection::vec(line, 0..4)), 0..4).prop_map(|tables| {
        let mut text = String::new();
        for (table, lines) in tables {
            text += &if table.is_empty() { "[a]\n".into() } else { format!("[a.{table}]\n") };
            lines.iter().for_each(|(key, value)| text += &format!("{key} = {value}\n"));
        }
        text
    })
}

/// A policy that can be built can be used, whatever its settings.
async fn use_it(policy: &Policy) {
    let backend = Backend::default();
    for request in [Do::Answer, Do::Fail, Do::Answer] {
        for way in WAYS {
            let class = Class::new().without_retry();
            let answer = match way {
                Way::Layer => policy.layer().class(class).layer(backend.clone()).oneshot(request).await,
                Way::Run => policy.with(class).run(|| backend.ask(request)).await,
            };
            drop(answer);
        }
    }
    if let Some(bulkhead) = policy.bulkhead() {
        assert_eq!(bulkhead.available(), bulkhead.limit());
    }
    let snapshot = policy.snapshot();
    assert_eq!(snapshot.circuit_breaker.is_some(), policy.circuit_breaker().is_some());
}

proptest! {
    /// PO-06: any file gives an error or a policy that works; never a panic.
    #[test]
    fn property_any_file(text in file()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let _entered = runtime.enter();
        match toml::from_str::<Policies>(&text) {
            Ok(policies) => policies.iter().for_each(|policy| runtime.block_on(use_it(policy))),
            Err(error) => prop_assert!(!error.message().is_empty()),
        }
    }

    /// PO-06: a valid file is read, and means what the builder means by it.
    #[test]
    fn property_settings_behave(failures in 1..50_u32, open in 1..100_000_u64, bulkhead in 1..30_u32, timeout in 1..100_000_u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let policies = read(&format!(
                "[a]\ntimeout = \"{timeout}ms\"\nbulkhead.limit = {bulkhead}\n\
                 circuit_breaker = {{ consecutive_failures = {failures}, open_for = \"{open}ms\" }}"
            ));
            let (policy, backend) = (policies.get("a").unwrap(), Backend::default());
            let after = Duration::from_millis(timeout);
            let late = rejected(Way::Run.ask(policy, &backend, Do::Hang).await);
            assert_eq!(late, Some(Rejected::TimedOut { after: after.into(), timeout: Some("a".into()) }));
            let held: Vec<_> = (0..bulkhead).map(|_| policy.bulkhead().unwrap().try_acquire().unwrap()).collect();
            assert!(policy.bulkhead().unwrap().try_acquire().is_err());
            drop(held);
            // The first of them was the hung one.
            for _ in 1..failures {
                assert_eq!(policy.circuit_breaker().unwrap().state(), State::Closed);
                Way::Layer.ask(policy, &backend, Do::Fail).await.unwrap_err();
            }
            assert_eq!(policy.snapshot().circuit_breaker.unwrap().retry_after, Some(Duration::from_millis(open)));
        });
    }
}
