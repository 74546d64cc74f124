//! CO: what this crate has for its companions.

use std::panic::{catch_unwind, panic_any};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seaworthy::observe::panic_text;
use seaworthy::{Backoff, BoxError, ConfigError, Fallback, Jitter, Policy, Rejected, RetryPolicy, StackError, State};

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

/// CO-01: a loop outside this crate waits by a `Backoff` of ours, which draws only if there is jitter, is never above its
/// cap, and which a builder refuses in our words.
#[test]
fn co_01_a_backoff() {
    let (base, cap) = (Duration::from_millis(100), Duration::from_secs(5));
    let full = Backoff::exponential(base, cap);
    for (fraction, expected) in [(0.0, [0, 0, 0, 0]), (0.5, [50, 100, 200, 2_500]), (0.999_999, [99, 199, 399, 4_999])]
    {
        let delays = [0, 1, 2, u32::MAX].map(|n| full.delay(n, &mut || fraction).as_millis());
        assert_eq!(delays, expected, "{fraction}");
    }
    let steady = full.jitter(Jitter::None);
    assert_eq!([0, 6].map(|n| steady.delay(n, &mut || panic!("nothing to draw"))), [base, cap]);

    assert_eq!(full.check("elector", "poll"), Ok(()));
    for (wrong, text) in [
        (full.factor(0.5), "elector: poll is 100ms times 0.5, the factor must be at least 1"),
        (Backoff::exponential(cap, base), "elector: poll is 5s to 100ms, the cap must not be below the base"),
    ] {
        assert_eq!(wrong.check("elector", "poll").unwrap_err().to_string(), text);
        // Even one that nobody has checked gives a delay.
        assert!(wrong.delay(u32::MAX, &mut || 0.5) <= cap);
    }
}

/// CO-01, ER-09: a panic that a companion has caught has a text, whatever its payload.
#[test]
fn co_01_the_text_of_a_panic() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic_any(());
        }
    }
    let text = |work: fn()| panic_text(catch_unwind(work).unwrap_err());
    assert_eq!(text(|| panic!("fixed")), "fixed");
    assert_eq!(text(|| panic!("made of {}", 2)), "made of 2");
    assert_eq!(text(|| panic_any(Bomb)), "a panic without a message");
}
