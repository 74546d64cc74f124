use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use seaworthy::retry::StopReason;
use seaworthy::{Backoff, RetryBudget, RetryPolicy};
use tower::{Layer, ServiceExt};

use super::{Flaky, Told, quick};
use crate::support::{MS, SECOND, advance, now};

fn withdraw_all(budget: &RetryBudget) -> u64 {
    let mut tokens = 0;
    while budget.withdraw() {
        tokens += 1;
    }
    tokens
}

fn deposit(budget: &RetryBudget, requests: u32) {
    (0..requests).for_each(|_| budget.deposit());
}

/// RT-08: the defaults: 20 % over 10 s, and a floor of 10 that begins full and refills at 10 a second.
#[tokio::test(start_paused = true)]
async fn defaults() {
    let budget = RetryBudget::default();
    assert_eq!(budget.balance(), 10);
    deposit(&budget, 100);
    assert_eq!(budget.balance(), 30);
    assert_eq!(withdraw_all(&budget), 30);
    // The floor refills, and never to more than 10.
    advance(100 * MS).await;
    assert_eq!(withdraw_all(&budget), 1);
    advance(3 * SECOND).await;
    assert_eq!(withdraw_all(&budget), 10);
    // What the requests paid for is spent: new ones count on their own.
    deposit(&budget, 14);
    assert_eq!(withdraw_all(&budget), 2);
}

/// RT-08: a request counts for the window, and is gone a tenth of it later, whatever happened in between.
#[tokio::test(start_paused = true)]
async fn requests_leave() {
    for begin in [Duration::ZERO, 300 * MS, 999 * MS] {
        for idle in [true, false] {
            let budget = RetryBudget::builder().ratio(1.0).floor(0).build().unwrap();
            advance(begin).await;
            deposit(&budget, 3);
            for _ in 0..99 {
                advance(100 * MS).await;
                if !idle {
                    assert_eq!(budget.balance(), 3, "{begin:?}");
                }
            }
            advance(99 * MS).await;
            assert_eq!(budget.balance(), 3, "{begin:?}");
            advance(SECOND + MS).await;
            assert_eq!(budget.balance(), 0, "{begin:?}");
        }
    }
}

/// RT-08: an idle year costs nothing and leaves the floor.
#[tokio::test(start_paused = true)]
async fn idle_year() {
    let budget = RetryBudget::default();
    deposit(&budget, 1_000);
    advance(365 * 24 * 3600 * SECOND).await;
    assert_eq!(budget.balance(), 10);
    deposit(&budget, 5);
    assert_eq!(withdraw_all(&budget), 11);
}

/// RT-08: in a window with no limit, requests count for ever.
#[tokio::test(start_paused = true)]
async fn endless_window() {
    let budget = RetryBudget::builder().ratio(0.5).window(Duration::MAX).floor(0).build().unwrap();
    deposit(&budget, 10);
    advance(100 * 365 * 24 * 3600 * SECOND).await;
    assert_eq!(withdraw_all(&budget), 5);
    assert_eq!(withdraw_all(&budget), 0);
}

/// RT-08: an empty budget returns the last result at once, without the wait.
#[tokio::test(start_paused = true)]
async fn empty() {
    let budget = RetryBudget::builder().ratio(0.01).floor(1).refill_per_second(0).build().unwrap();
    let told = Told::default();
    let builder = told.by(quick(3)).backoff(Backoff::constant(SECOND)).budget(budget.clone());
    let layer = builder.build().unwrap().layer();

    let start = now();
    let error = layer.layer(Flaky::new(u32::MAX).0).oneshot(()).await.unwrap_err();
    // The floor's token pays for the first retry and its wait; there is none for a second.
    assert_eq!(error.to_string(), "failure 2");
    assert_eq!(start.elapsed(), SECOND);
    assert_eq!(told.stops(), [(2, StopReason::BudgetEmpty)]);

    let error = layer.layer(Flaky::new(u32::MAX).0).oneshot(()).await.unwrap_err();
    assert_eq!(error.to_string(), "failure 1");
    assert_eq!(start.elapsed(), SECOND);
    assert_eq!(told.stops(), [(1, StopReason::BudgetEmpty)]);
}

/// RT-08: the budget is asked before the wait, not after it: a token is gone while its retry waits.
#[tokio::test(start_paused = true)]
async fn asked_before_the_wait() {
    let budget = RetryBudget::builder().floor(1).refill_per_second(0).build().unwrap();
    let policy = quick(3).backoff(Backoff::constant(SECOND)).budget(budget.clone()).build().unwrap();
    let mut call = tokio_test::task::spawn(policy.layer().layer(Flaky::new(1).0).oneshot(()));
    assert_eq!(budget.balance(), 1);
    assert!(call.poll().is_pending());
    assert_eq!(budget.balance(), 0);
    // It is not returned: the backend is spared nothing if another retry takes it at once.
    drop(call);
    assert_eq!(budget.balance(), 0);
}

/// RT-08: a request deposits once however often it is tried; no token is taken if there will be no retry.
#[tokio::test]
async fn one_deposit_and_no_waste() {
    let budget = RetryBudget::builder().ratio(1.0).floor(100).refill_per_second(0).build().unwrap();
    let shared = || quick(3).budget(budget.clone());
    let call = async |builder: seaworthy::retry::RetryBuilder, failures| {
        let layer = builder.build().unwrap().layer();
        let _result = layer.layer(Flaky::new(failures).0).oneshot(()).await;
        budget.balance()
    };
    assert_eq!(call(shared(), 0).await, 101);
    // One request, two retries.
    assert_eq!(call(shared(), u32::MAX).await, 100);
    // The attempts are used up, the deadline is near, or there is no copy: one request, no retry.
    assert_eq!(call(shared().attempts(1), 1).await, 101);
    let near = shared().backoff(Backoff::constant(SECOND)).deadline(MS);
    assert_eq!(call(near, 1).await, 102);
    let layer = shared().build().unwrap().layer().replay(|_: &()| None);
    layer.layer(Flaky::new(1).0).oneshot(()).await.unwrap_err();
    assert_eq!(budget.balance(), 103);
}

/// RT-09: policies given the same handle share the budget; others do not.
#[tokio::test]
async fn shared() {
    let budget = RetryBudget::builder().floor(2).refill_per_second(0).ratio(0.001).build().unwrap();
    let one = quick(9).budget(budget.clone()).build().unwrap();
    let two = quick(9).budget(budget.clone()).build().unwrap();
    let other = RetryPolicy::builder("other").build().unwrap();
    one.layer().layer(Flaky::new(1).0).oneshot(()).await.unwrap();
    two.clone().layer().layer(Flaky::new(1).0).oneshot(()).await.unwrap();
    assert_eq!(budget.balance(), 0);
    assert_eq!(one.budget().map(RetryBudget::balance), Some(0));
    assert_eq!(other.budget().map(RetryBudget::balance), Some(10));
    one.layer().layer(Flaky::new(1).0).oneshot(()).await.unwrap_err();
}

/// RT-08: four threads that deposit and withdraw as fast as they can get exactly what was paid for.
#[test]
fn threads() {
    for ratio in [0.1, 0.2, 0.3, 0.6, 0.9, 1.0] {
        let window = Duration::from_secs(24 * 3600);
        let budget = RetryBudget::builder().ratio(ratio).window(window).floor(3).refill_per_second(0).build().unwrap();
        let (requests, retries) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..5_000 {
                        // Counted before the deposit and after the withdrawal: at no time are there too many.
                        requests.fetch_add(1, Ordering::SeqCst);
                        budget.deposit();
                        if budget.withdraw() {
                            let retries = retries.fetch_add(1, Ordering::SeqCst) + 1;
                            let requests = requests.load(Ordering::SeqCst);
                            assert!(retries as f64 <= requests as f64 * ratio + 3.0 + 1e-9);
                        }
                    }
                });
            }
        });
        let spent = retries.into_inner() + withdraw_all(&budget);
        assert_eq!(spent, (20_000.0 * ratio).round() as u64 + 3, "{ratio}");
    }
}

/// What the budget is compared with: tower's gives every request a retry at a ratio of 0.6, because it rounds the cost
/// of a retry down to a whole number. If that changes, the docs of `retry` should, too.
#[tokio::test(start_paused = true)]
async fn towers_budget_overdraws() {
    use tower::retry::budget::{Budget, TpsBudget};
    let (theirs, ours) =
        (TpsBudget::new(10 * SECOND, 0, 0.6), RetryBudget::builder().ratio(0.6).floor(0).build().unwrap());
    for _ in 0..100 {
        theirs.deposit();
        ours.deposit();
    }
    assert_eq!(std::iter::from_fn(|| theirs.withdraw().then_some(())).count(), 100);
    assert_eq!(withdraw_all(&ours), 60);
}
