use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seaworthy::retry::{Decision, RetryErrors, StopReason};
use seaworthy::{BoxError, Error, Name, Rejected, RetryIf, StackError};
use tower::{Layer, ServiceExt, service_fn};

use super::{Told, quick};

fn rejections() -> [(Rejected, bool); 5] {
    let name = Name::from("below");
    [
        (Rejected::CircuitOpen { name: name.clone(), retry_after: None.into() }, false),
        (Rejected::BulkheadFull { name: name.clone(), retry_after: None.into() }, false),
        (Rejected::NotReady { reason: name.clone(), retry_after: None.into() }, false),
        (Rejected::TimedOut { after: Duration::from_secs(1).into(), timeout: None }, true),
        (Rejected::Withdrawn { name }, false),
    ]
}

/// How many calls reach a service that always gives this result.
async fn calls<E, C>(retry_if: C, error: impl Fn() -> E) -> u32
where
    E: std::fmt::Debug + std::fmt::Display,
    C: RetryIf<(), E> + Clone,
{
    let calls = AtomicU32::new(0);
    let (counter, error) = (&calls, &error);
    let service = service_fn(move |()| {
        counter.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Err::<(), E>(error()))
    });
    let policy = quick(3).build().unwrap();
    policy.layer().retry_if(retry_if).layer(service).oneshot(()).await.unwrap_err();
    calls.load(Ordering::Relaxed)
}

/// RT-03, CO-01: by default every error is retried, a timeout from below included, except rejections that never reached
/// the backend and calls that were withdrawn, however deep they are in a boxed error.
#[tokio::test]
async fn default() {
    assert_eq!(calls(RetryErrors, || BoxError::from("no")).await, 3);
    assert_eq!(calls(RetryErrors, || Error::Inner("no")).await, 3);
    for (rejected, retried) in rejections() {
        let expected = if retried { 3 } else { 1 };
        assert_eq!(calls(RetryErrors, || Error::<&str>::from(rejected.clone())).await, expected, "{rejected}");
        assert_eq!(calls(RetryErrors, || BoxError::from(rejected.clone())).await, expected, "{rejected}");
        let wrapped = || BoxError::from(std::io::Error::other(Wrapped(rejected.clone())));
        assert_eq!(calls(RetryErrors, wrapped).await, expected, "{rejected}");
    }
}

#[derive(Debug, thiserror::Error)]
#[error("wrapped")]
struct Wrapped(#[source] Rejected);

/// RT-03: rejections are retried if that is asked for.
#[tokio::test]
async fn rejections_if_asked_for() {
    for (rejected, _) in rejections() {
        let all = |result: &Result<(), BoxError>| result.is_err();
        assert_eq!(calls(all, || BoxError::from(rejected.clone())).await, 3, "{rejected}");
        let full = |result: &Result<(), BoxError>| match result.as_ref().err().and_then(StackError::rejected) {
            Some(Rejected::BulkheadFull { .. }) => Decision::Retry,
            _ => RetryErrors.retry_if(result),
        };
        let retried = matches!(rejected, Rejected::BulkheadFull { .. } | Rejected::TimedOut { .. });
        let expected = if retried { 3 } else { 1 };
        assert_eq!(calls(full, || BoxError::from(rejected.clone())).await, expected, "{rejected}");
    }
}

/// RT-03: an error that should not be retried goes to the caller at once, and that is reported; an error type that
/// cannot hold rejections will do if the decision does not need it.
#[tokio::test]
async fn not_retryable() {
    let told = Told::default();
    let policy = told.by(quick(3)).build().unwrap();
    let service = service_fn(|error: &'static str| std::future::ready(Err::<(), _>(error)));
    let service = policy.layer().retry_if(|result: &Result<(), &str>| *result == Err("busy")).layer(service);
    assert_eq!(service.clone().oneshot("broken").await, Err("broken"));
    assert_eq!(told.stops(), [(1, StopReason::NotRetryable)]);
    assert_eq!(service.oneshot("busy").await, Err("busy"));
    assert_eq!(told.stops(), [(3, StopReason::AttemptsExhausted)]);
}
