//! Settings, from code.

use seaworthy::policy::Class;
use seaworthy::{Policies, PolicyError};

use super::*;
use crate::support::SECOND;

/// PO-06, from code: an error names the setting by its path, in the order of the parts.
#[test]
fn errors_name_the_path() {
    let wrong: [(PolicyBuilder, &str); 12] = [
        (Policy::builder(""), "name: must not be empty"),
        (
            builder().circuit_breaker(|circuit_breaker| circuit_breaker.open_for(Duration::ZERO)),
            "circuit_breaker.open_for: must be longer than zero",
        ),
        (
            builder().circuit_breaker(|circuit_breaker| circuit_breaker.success_threshold(0)),
            "circuit_breaker.success_threshold: must be at least 1",
        ),
        (
            builder().circuit_breaker(|circuit_breaker| circuit_breaker.slow_rate(0.5)),
            "circuit_breaker.slow_rate: needs `slow_call`",
        ),
        (
            builder().circuit_breaker(|circuit_breaker| circuit_breaker.name("")),
            "circuit_breaker.name: must not be empty",
        ),
        (builder().bulkhead(|bulkhead| bulkhead.limit(0)), "bulkhead.limit: must be at least 1"),
        (
            Policy::builder("x").bulkhead(|bulkhead| bulkhead.max_queued(3)),
            "bulkhead.max_queued: means nothing without `max_wait`",
        ),
        (builder().timeout(Duration::ZERO), "timeout: must be longer than zero"),
        (builder().retry(|retry| retry.attempts(0)), "retry.attempts: must be at least 1"),
        (
            builder().class("long", Class::new().timeout(Duration::ZERO)),
            "classes.long.timeout: must be longer than zero",
        ),
        (builder().class("", Class::new()), "classes: a name must not be empty"),
        (
            builder().class("long", Class::new()).class("ping", Class::new()).class("long", Class::bare()),
            "classes.long: there are two of this name",
        ),
    ];
    for (builder, text) in wrong {
        let error = builder.build().unwrap_err();
        assert_eq!(error.to_string(), text);
        assert_eq!(format!("{}: {}", error.path(), error.rule()), text);
    }
}

/// A part that is not named is absent, and a call passes; a part that is named has its defaults and the policy's name.
#[tokio::test(start_paused = true)]
async fn parts_are_optional() {
    let (none, backend) = (Policy::builder("none").build().unwrap(), Backend::default());
    assert!(none.circuit_breaker().is_none() && none.bulkhead().is_none() && none.retry_policy().is_none());
    assert_eq!((none.timeout(), none.name().as_str()), (None, "none"));
    let snapshot = none.snapshot();
    assert!(snapshot.circuit_breaker.is_none() && snapshot.bulkhead.is_none() && snapshot.retry_balance.is_none());
    for way in WAYS {
        assert_eq!(way.ask(&none, &backend, Do::AnswerAfter(3600 * SECOND)).await.unwrap(), "fine");
        assert_eq!(way.ask(&none, &backend, Do::Fail).await.unwrap_err().to_string(), "broken");
    }
    let all = Policy::builder("all")
        .circuit_breaker(|circuit_breaker| circuit_breaker)
        .bulkhead(|bulkhead| bulkhead)
        .retry(|retry| retry);
    let all = all.build().unwrap();
    let names =
        [all.circuit_breaker().unwrap().name(), all.bulkhead().unwrap().name(), all.retry_policy().unwrap().name()];
    assert_eq!(names.map(|name| name.as_str()), ["all"; 3]);
    assert_eq!((all.bulkhead().unwrap().limit(), all.snapshot().retry_balance), (10, Some(10)));
}

/// A setter that is called again continues from there, and the last handle given is used.
#[test]
fn setters_again() {
    let shared = builder().build().unwrap();
    let policy = builder().bulkhead(|bulkhead| bulkhead.max_queued(7)).build().unwrap();
    // As before, with the new one added: without `max_wait` this would be an error.
    assert_eq!(policy.bulkhead().unwrap().limit(), 1);
    let policy = Policy::builder("other").shared_bulkhead(with_retry(2).build().unwrap().bulkhead().unwrap().clone());
    let policy = policy.shared_bulkhead(shared.bulkhead().unwrap().clone()).build().unwrap();
    let _permit = policy.bulkhead().unwrap().try_acquire().unwrap();
    assert_eq!(shared.bulkhead().unwrap().in_use(), 1);
    let retry = with_retry(2).build().unwrap().retry_policy().unwrap().clone();
    let policy = Policy::builder("other").shared_retry(retry).build().unwrap();
    assert_eq!(policy.retry_policy().unwrap().name().as_str(), "compute");
}

/// ER-07: setting up a part and also giving a handle for it is an error, whichever came first: one of the two would
/// have no effect.
#[test]
fn er_07_own_and_shared() {
    let there = with_retry(2).build().unwrap();
    let (circuit_breaker, bulkhead) = (there.circuit_breaker().unwrap(), there.bulkhead().unwrap());
    let retry = there.retry_policy().unwrap();
    let none = || Policy::builder("other");
    for (part, both) in [
        ("circuit_breaker", none().circuit_breaker(|own| own).shared_circuit_breaker(circuit_breaker.clone())),
        ("circuit_breaker", none().shared_circuit_breaker(circuit_breaker.clone()).circuit_breaker(|own| own)),
        ("bulkhead", none().bulkhead(|own| own).shared_bulkhead(bulkhead.clone())),
        ("bulkhead", none().shared_bulkhead(bulkhead.clone()).bulkhead(|own| own).bulkhead(|own| own)),
        ("retry", none().retry(|own| own).shared_retry(retry.clone()).shared_retry(retry.clone())),
        ("retry", none().shared_retry(retry.clone()).retry(|own| own)),
    ] {
        let error = both.build().unwrap_err();
        assert_eq!(error.path(), part);
        assert_eq!(error.rule(), format!("must not be set up together with `shared_{part}`"));
    }
    let alone = none()
        .shared_circuit_breaker(circuit_breaker.clone())
        .shared_bulkhead(bulkhead.clone())
        .shared_retry(retry.clone());
    assert!(alone.build().is_ok());
}

/// SO-05, from code: a setting that can never take effect is an error: a time that another one always ends first, and a
/// class that leaves out a part that does not exist.
#[test]
fn so_05_never_obeyed() {
    let slow = |time| builder().circuit_breaker(move |circuit_breaker| circuit_breaker.slow_rate(0.5).slow_call(time));
    let dropped = |time| {
        builder().circuit_breaker(move |circuit_breaker| circuit_breaker.on_drop(seaworthy::OnDrop::FailureAfter(time)))
    };
    let bare = |class| Policy::builder("bare").class("x", class);
    let (slow_rule, drop_rule) = (
        "circuit_breaker.slow_call: must be shorter than the policy's `timeout`",
        "circuit_breaker.on_drop.failure_after: must be shorter than the policy's `timeout`",
    );
    for (builder, text) in [
        (slow(ATTEMPT), slow_rule),
        (slow(SECOND), slow_rule),
        (dropped(ATTEMPT), drop_rule),
        (slow(ATTEMPT).class("quick", Class::new().timeout(MS)), slow_rule),
        (slow(ATTEMPT).class("long", Class::new().timeout(SECOND).without_circuit_breaker()), slow_rule),
        (slow(ATTEMPT / 2).total_timeout(ATTEMPT), "timeout: must be shorter than `total_timeout`"),
        (
            builder().class("long", Class::new().timeout(SECOND)).total_timeout(SECOND),
            "classes.long.timeout: must be shorter than `total_timeout`",
        ),
        (builder().total_timeout(Duration::ZERO), "total_timeout: must be longer than zero"),
        (
            bare(Class::new().without_circuit_breaker()),
            "classes.x.circuit_breaker: must not be left out: the policy has none",
        ),
        (bare(Class::new().without_bulkhead()), "classes.x.bulkhead: must not be left out: the policy has none"),
        (bare(Class::new().without_retry()), "classes.x.retry: must not be left out: the policy has none"),
        (bare(Class::new().without_timeout()), "classes.x.timeout: must not be left out: the policy has none"),
        (
            bare(Class::new().without_total_timeout()),
            "classes.x.total_timeout: must not be left out: the policy has none",
        ),
    ] {
        assert_eq!(builder.build().unwrap_err().to_string(), text);
    }
    let shared = Policy::builder("shared")
        .circuit_breaker(|circuit_breaker| circuit_breaker.slow_rate(0.5).slow_call(SECOND))
        .build()
        .unwrap();
    for fine in [
        slow(ATTEMPT - MS),
        dropped(ATTEMPT - MS),
        // Some calls may take longer.
        slow(ATTEMPT).class("long", Class::new().timeout(SECOND)),
        slow(ATTEMPT).class("endless", Class::new().without_timeout()),
        // Others may use it with another timeout.
        Policy::builder("other").timeout(MS).shared_circuit_breaker(shared.circuit_breaker().unwrap().clone()),
        bare(Class::bare()),
        builder().total_timeout(ATTEMPT + MS),
    ] {
        fine.build().unwrap();
    }
}

/// A builder is a template: what is built from its clones shares nothing.
#[test]
fn templates() {
    let template = builder();
    let (first, second) = (template.clone().build().unwrap(), template.build().unwrap());
    let _permit = first.bulkhead().unwrap().try_acquire().unwrap();
    trip(&first);
    assert_eq!(second.bulkhead().unwrap().available(), 1);
    assert_eq!(failures(&second), 0);
    assert!(second.circuit_breaker().unwrap().admit().is_ok());
}

/// A set of policies, by name.
#[test]
fn policies() {
    let policy = |name: &'static str| Policy::builder(name).build().unwrap();
    let set = Policies::new([policy("b"), policy("a")]).unwrap();
    assert_eq!((set.len(), set.is_empty()), (2, false));
    assert_eq!(set.iter().map(|policy| policy.name().as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(set.get("a").unwrap().name().as_str(), "a");
    assert_eq!(set.get("c").unwrap_err().to_string(), "there is no policy `c`; there are `a`, `b`");
    let twice = Policies::new([policy("a"), policy("b"), policy("a")]).unwrap_err();
    assert_eq!(twice.to_string(), "a: there are two of this name");
    assert!(Policies::default().is_empty());
    let _: fn(PolicyError) -> BoxError = BoxError::from;
}
