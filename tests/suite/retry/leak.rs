//! RT-16: policies that are never freed.

use std::sync::LazyLock;

use seaworthy::{Policy, RetryBudget};
use tower::{Layer, ServiceExt, service_fn};

use super::*;

/// RT-16: A leaked policy is the same one, with the same budget, and retries in the same way; it can be a `static`.
#[tokio::test(start_paused = true)]
async fn rt_16_leaked() {
    static POLICY: LazyLock<RetryPolicy> = LazyLock::new(|| RetryPolicy::builder("static").build().unwrap().leak());
    assert_eq!((POLICY.name(), POLICY.budget().is_some()), (&"static".into(), true));

    let told = Told::default();
    let budget = RetryBudget::builder().floor(3).refill_per_second(0).build().unwrap();
    let shared = told.by(quick(3)).budget(budget).build().unwrap();
    let before = shared.clone();
    let leaked = shared.leak().leak();
    let fails = || service_fn(|(): ()| std::future::ready(Err::<(), BoxError>("no".into())));
    let retried = |after| Line::Retried(after, Duration::ZERO, Some("no".into()));
    // The layer, the function and a policy around it, and one by one they use up the budget of all.
    leaked.layer().layer(fails()).oneshot(()).await.unwrap_err();
    let exhausted = Line::Stopped(3, StopReason::AttemptsExhausted, Some("no".into()));
    assert_eq!(told.take(), [retried(1), retried(2), exhausted]);
    leaked.run(|| std::future::ready(Err::<(), BoxError>("no".into()))).await.unwrap_err();
    let empty = |after| Line::Stopped(after, StopReason::BudgetEmpty, Some("no".into()));
    assert_eq!(told.take(), [retried(1), empty(2)]);
    let policy = Policy::builder("whole").shared_retry(leaked.clone()).build().unwrap();
    policy.layer().layer(fails()).oneshot(()).await.unwrap_err();
    assert_eq!(told.take(), [empty(1)]);
    before.layer().layer(fails()).oneshot(()).await.unwrap_err();
    assert_eq!(told.take(), [empty(1)]);
    drop(before);
    assert_eq!(format!("{:?}", leaked.clone()), format!("{leaked:?}"));
    assert_eq!(leaked.budget().map(RetryBudget::balance), Some(0));
}
