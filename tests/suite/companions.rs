//! CO: what this crate has for its companions.

use std::sync::atomic::{AtomicU32, Ordering};

use seaworthy::{BoxError, ConfigError, Fallback, Policy, Rejected, RetryPolicy, StackError, State};

/// CO-01: a builder outside this crate refuses a setting with the same type, in the same words.
#[test]
fn co_01_a_refused_setting() {
    let error = ConfigError::new("ledger", "schema", "a b", "must be letters");
    assert_eq!((error.kind(), error.name(), error.field()), ("ledger", None, "schema"));
    assert_eq!((error.value(), error.rule()), ("\"a b\"", "must be letters"));
    assert_eq!(error.to_string(), "ledger: schema is \"a b\", must be letters");

    let named = error.with_name("orders");
    assert_eq!(named.name().map(|name| name.as_str()), Some("orders"));
    assert_eq!(named.to_string(), "ledger `orders`: schema is \"a b\", must be letters");

    // What is in words already is not quoted; the same setting refused by this crate is the same error.
    let limits = ConfigError::new("elector", "ttl", format_args!("{} of {}", 1, 2), "must be longer");
    assert_eq!(limits.to_string(), "elector: ttl is 1 of 2, must be longer");
    let ours = RetryPolicy::builder("orders").attempts(0).build().expect_err("nothing to attempt");
    let theirs = ConfigError::new(ours.kind(), "attempts", 0, ours.rule()).with_name("orders");
    assert_eq!(ours, theirs);
}

/// CO-01: a call that was withdrawn is not made again by a policy, its circuit breaker learns nothing from it, the
/// caller gets the rejection, and a fallback covers it.
#[tokio::test(start_paused = true)]
async fn co_01_a_withdrawn_call() {
    let withdrawn = || Rejected::Withdrawn { name: "billing".into() };
    let policy = Policy::builder("orders")
        .circuit_breaker(|breaker| breaker.consecutive_failures(1))
        .retry(|retry| retry.attempts(3))
        .build()
        .unwrap();
    let calls = AtomicU32::new(0);
    let made = || async {
        calls.fetch_add(1, Ordering::Relaxed);
        Err::<&str, _>(BoxError::from(withdrawn()))
    };
    let error = policy.run(made).await.expect_err("it was withdrawn");
    assert_eq!((error.rejected(), error.is_before_call()), (Some(&withdrawn()), false));
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(policy.circuit_breaker().unwrap().state(), State::Closed);

    // The same policy does retry, and does open, after another error.
    let failing = || async {
        calls.fetch_add(1, Ordering::Relaxed);
        Err::<&str, _>(BoxError::from("down"))
    };
    assert!(policy.run(failing).await.is_err());
    assert!(calls.load(Ordering::Relaxed) > 1 && policy.circuit_breaker().unwrap().state() == State::Open);

    let fallback = Fallback::value("orders", "later").build().unwrap();
    assert_eq!(fallback.run(made()).await.unwrap(), "later");
}
