//! Settings, from code.

use seaworthy::PolicyError;
use seaworthy::policy::{Class, Policies};

use super::*;
use crate::support::SECOND;

/// PO-06, from code: what is wrong is told by its path, in the order of the parts.
#[test]
fn errors_name_the_path() {
    let wrong: [(PolicyBuilder, &str); 12] = [
        (Policy::builder(""), "name: must not be empty"),
        (builder().circuit(|circuit| circuit.open_for(Duration::ZERO)), "circuit.open_for: must be longer than zero"),
        (builder().circuit(|circuit| circuit.successes(0)), "circuit.successes: must be at least 1"),
        (builder().circuit(|circuit| circuit.slow_rate(0.5)), "circuit.slow_rate: needs `slow_call`"),
        (builder().circuit(|circuit| circuit.name("")), "circuit.name: must not be empty"),
        (builder().bulkhead(|bulkhead| bulkhead.limit(0)), "bulkhead.limit: must be at least 1"),
        (
            Policy::builder("x").bulkhead(|bulkhead| bulkhead.max_waiting(3)),
            "bulkhead.max_waiting: means nothing without `max_wait`",
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

/// A part that is not named is not there, and a call passes; a part that is named has its defaults and the policy's name.
#[tokio::test(start_paused = true)]
async fn parts_are_optional() {
    let (none, backend) = (Policy::builder("none").build().unwrap(), Backend::default());
    assert!(none.circuit().is_none() && none.slots().is_none() && none.retry_policy().is_none());
    assert_eq!((none.timeout(), none.name().as_str()), (None, "none"));
    let snapshot = none.snapshot();
    assert!(snapshot.circuit.is_none() && snapshot.bulkhead.is_none() && snapshot.retry_balance.is_none());
    for way in WAYS {
        assert_eq!(way.ask(&none, &backend, Do::AnswerAfter(3600 * SECOND)).await.unwrap(), "fine");
        assert_eq!(way.ask(&none, &backend, Do::Fail).await.unwrap_err().to_string(), "broken");
    }
    let all = Policy::builder("all").circuit(|circuit| circuit).bulkhead(|bulkhead| bulkhead).retry(|retry| retry);
    let all = all.build().unwrap();
    let names = [all.circuit().unwrap().name(), all.slots().unwrap().name(), all.retry_policy().unwrap().name()];
    assert_eq!(names.map(|name| name.as_str()), ["all"; 3]);
    assert_eq!((all.slots().unwrap().limit(), all.snapshot().retry_balance), (10, Some(10)));
}

/// A setter that is used again goes on from there; a handle that is given takes the place of what was set up.
#[test]
fn setters_again() {
    let shared = builder().build().unwrap();
    let policy = builder().bulkhead(|bulkhead| bulkhead.max_waiting(7)).build().unwrap();
    // As it was, and the new one beside it: without `max_wait` this would be an error.
    assert_eq!(policy.slots().unwrap().limit(), 1);
    let policy = builder().shared_bulkhead(shared.slots().unwrap().clone()).build().unwrap();
    let _slot = policy.slots().unwrap().try_take().unwrap();
    assert_eq!(shared.slots().unwrap().in_use(), 1);
    let policy = builder().shared_bulkhead(shared.slots().unwrap().clone()).bulkhead(|bulkhead| bulkhead.limit(4));
    assert_eq!(policy.build().unwrap().slots().unwrap().available(), 4);
    let retry = with_retry(2).build().unwrap().retry_policy().unwrap().clone();
    let policy = Policy::builder("other").shared_retry(retry).build().unwrap();
    assert_eq!(policy.retry_policy().unwrap().name().as_str(), "compute");
}

/// A builder is a template: what is built of its clones shares nothing.
#[test]
fn templates() {
    let template = builder();
    let (first, second) = (template.clone().build().unwrap(), template.build().unwrap());
    let _slot = first.slots().unwrap().try_take().unwrap();
    trip(&first);
    assert_eq!(second.slots().unwrap().available(), 1);
    assert_eq!(failures(&second), 0);
    assert!(second.circuit().unwrap().admit().is_ok());
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
