use std::sync::atomic::{AtomicU32, Ordering};

use seaworthy::retry::StopReason;
use seaworthy::{Backoff, BoxError, CircuitBreaker, Error, RetryBudget};
use tokio_test::{assert_pending, task};

use super::{Told, quick};
use crate::support::{SECOND, advance, now};

/// RT-01, RT-02, without tower: this many attempts, waits in between, the last result.
#[tokio::test(start_paused = true)]
async fn attempts() {
    let told = Told::default();
    let policy = told.by(quick(4)).backoff(Backoff::constant(SECOND)).build().unwrap();
    let calls = AtomicU32::new(0);
    let start = now();
    let attempt = || async { Err::<(), _>(Error::Inner(calls.fetch_add(1, Ordering::Relaxed) + 1)) };
    assert_eq!(policy.run(attempt).await, Err(Error::Inner(4)));
    assert_eq!(start.elapsed(), 3 * SECOND);
    assert_eq!(told.stops(), [(4, StopReason::AttemptsExhausted)]);

    let attempt = || async { Ok::<_, Error<u32>>(7) };
    assert_eq!(policy.run(attempt).await, Ok(7));
    assert_eq!(told.take(), []);
}

/// RT-03, without tower: an open circuit inside is not hammered.
#[tokio::test]
async fn rejections_are_not_retried() {
    let told = Told::default();
    let policy = told.by(quick(4)).build().unwrap();
    let circuit_breaker = CircuitBreaker::builder("below").build().unwrap();
    circuit_breaker.force_open();
    policy.run(|| circuit_breaker.run(async { Ok::<_, BoxError>(()) })).await.unwrap_err();
    assert_eq!(circuit_breaker.snapshot().rejected, 1);
    assert_eq!(told.stops(), [(1, StopReason::NotRetryable)]);

    let all = policy.retry_if(|_: &Result<_, _>| true);
    all.run(|| circuit_breaker.run(async { Ok::<_, BoxError>(()) })).await.unwrap_err();
    assert_eq!(circuit_breaker.snapshot().rejected, 5);
}

/// RT-08, without tower: one deposit for the whole run, one token for each retry.
#[tokio::test]
async fn budget() {
    let budget = RetryBudget::builder().ratio(1.0).floor(0).build().unwrap();
    let told = Told::default();
    let policy = told.by(quick(4)).budget(budget.clone()).build().unwrap();
    let run = policy.run(|| async { Err::<(), BoxError>("no".into()) });
    // Nothing has begun before the first poll.
    assert_eq!(budget.balance(), 0);
    run.await.unwrap_err();
    assert_eq!(told.stops(), [(2, StopReason::BudgetEmpty)]);
    assert_eq!(budget.balance(), 0);
}

/// RT-12, without tower: dropping the run stops everything; it can be sent to another thread.
#[tokio::test(start_paused = true)]
async fn dropped() {
    let policy = quick(4).backoff(Backoff::constant(SECOND)).build().unwrap();
    let calls = AtomicU32::new(0);
    let attempt = || {
        calls.fetch_add(1, Ordering::Relaxed);
        async { Err::<(), BoxError>("no".into()) }
    };
    let mut run = task::spawn(policy.run(attempt));
    assert_pending!(run.poll());
    drop(run);
    advance(10 * SECOND).await;
    assert_eq!(calls.load(Ordering::Relaxed), 1);

    tokio::spawn(async move { policy.run(|| async { Ok::<_, BoxError>(()) }).await }).await.unwrap().unwrap();
}

/// A run that always fails at once lets other tasks run.
#[tokio::test]
async fn endless_runs_let_others_run() {
    let policy = quick(u32::MAX).build().unwrap();
    let mut run = task::spawn(policy.run(|| async { Err::<(), BoxError>("no".into()) }));
    assert_pending!(run.poll());
    assert!(run.is_woken());
}
