use std::time::Duration;

use seaworthy::retry::RetryBuilder;
use seaworthy::{Backoff, ConfigError, RetryBudget, RetryPolicy};

use crate::support::SECOND;

fn field(result: Result<impl Sized, ConfigError>) -> Option<&'static str> {
    result.err().map(|error| error.field())
}

/// RT-15: an unusable setting is an error that names the field; the next usable value is not.
#[test]
fn policies() {
    let builder = || RetryPolicy::builder("test");
    let exponential = Backoff::exponential;
    let table: [(RetryBuilder, Option<&str>); 19] = [
        (RetryPolicy::builder(""), Some("name")),
        (builder().name(""), Some("name")),
        (builder(), None),
        (builder().attempts(0), Some("attempts")),
        (builder().attempts(1), None),
        (builder().attempts(u32::MAX), None),
        (builder().deadline(Duration::ZERO), Some("deadline")),
        (builder().deadline(Duration::from_nanos(1)), None),
        (builder().deadline(Duration::MAX), None),
        (builder().backoff(exponential(SECOND, SECOND - Duration::from_nanos(1))), Some("backoff")),
        (builder().backoff(exponential(SECOND, SECOND)), None),
        (builder().backoff(exponential(SECOND, SECOND).factor(0.999)), Some("backoff")),
        (builder().backoff(exponential(SECOND, SECOND).factor(f64::NAN)), Some("backoff")),
        (builder().backoff(exponential(SECOND, SECOND).factor(1.0)), None),
        (builder().backoff(exponential(Duration::ZERO, Duration::ZERO)), None),
        (builder().backoff(Backoff::constant(Duration::MAX)), None),
        (builder().max_retry_after(Duration::ZERO), None),
        (builder().own_budget(RetryBudget::builder().ratio(0.0)), Some("ratio")),
        (builder().own_budget(RetryBudget::builder().ratio(1.0)), None),
    ];
    for (builder, expected) in table {
        let told = format!("{builder:?}");
        assert_eq!(field(builder.build()), expected, "{told}");
    }
}

/// RT-08: a budget of the policy's own has the settings it was given, and each policy of a template has another.
#[tokio::test(start_paused = true)]
async fn own_budgets() {
    let template =
        RetryPolicy::builder("test").own_budget(RetryBudget::builder().ratio(0.2).floor(3).refill_per_second(0));
    let [one, other] = [(); 2].map(|()| template.clone().build().unwrap());
    let balance = |policy: &RetryPolicy| policy.budget().map(RetryBudget::balance);
    assert_eq!((balance(&one), balance(&other)), (Some(3), Some(3)));
    let failed = one.run(|| async { Err::<(), seaworthy::BoxError>("broken".into()) }).await;
    assert!(failed.is_err());
    assert_eq!((balance(&one).is_some_and(|left| left < 3), balance(&other)), (true, Some(3)));
}

/// RT-08: a ratio outside of (0, 1] and an empty window are errors.
#[test]
fn budgets() {
    let ratio = |ratio| RetryBudget::builder().ratio(ratio).build();
    for wrong in [0.0, -0.2, 1.000_001, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(field(ratio(wrong)), Some("ratio"), "{wrong}");
    }
    for right in [f64::MIN_POSITIVE, 1e-9, 0.2, 1.0] {
        assert_eq!(field(ratio(right)), None, "{right}");
    }
    let builder = RetryBudget::builder;
    assert_eq!(field(builder().window(Duration::ZERO).build()), Some("window"));
    for window in [Duration::from_nanos(1), Duration::MAX] {
        assert_eq!(field(builder().window(window).build()), None);
    }
    for edge in [0, u32::MAX] {
        assert_eq!(field(builder().floor(edge).refill_per_second(edge).build()), None);
    }
}

/// Each policy from a template has its own budget, unless the template was given one.
#[test]
fn templates() {
    let template = RetryPolicy::builder("template");
    let balances = |template: RetryBuilder| {
        let (one, two) = (template.clone().build().unwrap(), template.name("two").build().unwrap());
        assert!(one.budget()?.withdraw());
        Some((one.budget()?.balance(), two.budget()?.balance()))
    };
    let forgetful = || RetryBudget::builder().refill_per_second(0).build().unwrap();
    assert_eq!(balances(template.clone().budget(forgetful())), Some((9, 9)));
    assert_eq!(balances(template.clone().no_budget()), None);
    assert_eq!(balances(template).map(|(_, two)| two), Some(10));
}
