//! Handles with a classifier, calls with error types of their own, and calls that borrow.

use seaworthy::policy::{Class, ClassifiedPolicy};
use seaworthy::{CircuitBreaker, Classify, Error, Lent, RetryPolicy, State};

use super::*;
use crate::support::advance;

#[derive(Clone, Copy, Debug, PartialEq)]
enum StoreError {
    NoRow,
    Down,
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for StoreError {}

/// A missing row is not a failed backend.
#[derive(Clone, Copy, Debug)]
struct Rows;

impl<T> Classify<T, Error<StoreError>> for Rows {
    fn classify(&self, result: &Result<T, Error<StoreError>>) -> Verdict {
        match result {
            Ok(_) | Err(Error::Inner(StoreError::NoRow)) => Verdict::Success,
            Err(_) => Verdict::Failure,
        }
    }
}

async fn find<T>(row: Result<T, StoreError>) -> Result<T, StoreError> {
    tokio::task::yield_now().await;
    row
}

/// HC-16: a classifier is bound to a policy once; what it considers no failure is none, with `run`, with a class, as a
/// layer and for results of any type.
#[tokio::test(start_paused = true)]
async fn hc_16_a_policy_with_its_classifier() {
    struct Store {
        policy: ClassifiedPolicy<Rows>,
    }
    let policy = builder().circuit_breaker(|circuit_breaker| circuit_breaker.consecutive_failures(1)).build().unwrap();
    let store = Store { policy: policy.classify(Rows) };
    let no_row = Err(Error::Inner(StoreError::NoRow));
    assert_eq!(store.policy.run_wrapped(|| find(Err::<u8, _>(StoreError::NoRow))).await, no_row);
    assert_eq!(
        store.policy.run(|| async { find(Err::<u8, _>(StoreError::NoRow)).await.map_err(Error::Inner) }).await,
        no_row
    );
    let ping = store.policy.with(Class::new().without_bulkhead());
    assert_eq!(ping.run_wrapped(|| find(Err::<u8, _>(StoreError::NoRow))).await, no_row);
    let inner = tower::service_fn(|()| async { find(Err::<&str, _>(StoreError::NoRow)).await.map_err(Error::Inner) });
    assert!(store.policy.layer().layer(inner).oneshot(()).await.is_err());
    assert_eq!((failures(&policy), policy.circuit_breaker().unwrap().state()), (0, State::Closed));
    // The policy itself judges as before, and shares the circuit breaker.
    assert_eq!(policy.run_wrapped(|| find(Err::<u8, _>(StoreError::NoRow))).await, no_row);
    assert_eq!(policy.circuit_breaker().unwrap().state(), State::Open);
    let open = store.policy.run_wrapped(|| find(Ok(1))).await;
    assert!(matches!(open, Err(Error::Rejected(Rejected::CircuitOpen { .. }))));
    store.policy.policy().circuit_breaker().unwrap().reset();
    assert!(store.policy.run_wrapped(|| find(Err::<u8, _>(StoreError::Down))).await.is_err());
    assert_eq!(policy.circuit_breaker().unwrap().state(), State::Open);
}

/// HC-16: the same for a circuit breaker, and for a retry policy with a decision about retries.
#[tokio::test(start_paused = true)]
async fn hc_16_a_circuit_with_its_classifier() {
    let circuit_breaker = CircuitBreaker::builder("store").consecutive_failures(1).build().unwrap();
    let store = circuit_breaker.classify(Rows);
    let lift = |row| async move { find(row).await.map_err(Error::Inner) };
    store.run(lift(Err::<u8, _>(StoreError::NoRow))).await.unwrap_err();
    let inner = tower::service_fn(move |()| lift(Err::<u8, _>(StoreError::NoRow)));
    store.layer().layer(inner).oneshot(()).await.unwrap_err();
    assert_eq!(circuit_breaker.state(), State::Closed);
    store.clone().run(lift(Err::<u8, _>(StoreError::Down))).await.unwrap_err();
    assert_eq!((store.circuit_breaker().state(), circuit_breaker.state()), (State::Open, State::Open));

    let retry = RetryPolicy::builder("store").attempts(3).backoff(Backoff::constant(PAUSE)).build().unwrap();
    let selective = retry.retry_if(|result: &Result<u8, StoreError>| *result == Err(StoreError::Down));
    for (row, attempts) in [(StoreError::Down, 3), (StoreError::NoRow, 1)] {
        let mut made = 0;
        let attempt = || {
            made += 1;
            find(Err(row))
        };
        selective.run(attempt).await.unwrap_err();
        assert_eq!(made, attempts, "{row}");
    }
}

struct Connection {
    failures_left: u32,
    queries: u32,
}

impl Connection {
    async fn execute(&mut self) -> Result<u32, BoxError> {
        self.queries += 1;
        tokio::task::yield_now().await;
        match self.failures_left.checked_sub(1) {
            Some(left) => {
                self.failures_left = left;
                Err("lost".into())
            }
            None => Ok(self.queries),
        }
    }
}

/// ER-05: each attempt gets what is borrowed mutably, and returns it for the next one after a failure; the future is
/// `Send`, even from within another one.
#[tokio::test(start_paused = true)]
async fn er_05_calls_that_borrow() {
    let policy = with_retry(3).build().unwrap();
    let task = tokio::spawn(async move {
        let mut connection = Connection { failures_left: 2, queries: 0 };
        let (connection, prefix) = (&mut connection, String::from("row"));
        let prefix = &prefix;
        let answer = policy
            .run_mut(connection, async |mut connection| {
                Ok::<_, BoxError>(format!("{prefix} {}", connection.execute().await?))
            })
            .await;
        (answer.unwrap(), connection.queries)
    });
    assert_eq!(task.await.unwrap(), ("row 3".to_owned(), 3));

    let retry = RetryPolicy::builder("store").attempts(2).backoff(Backoff::constant(PAUSE)).build().unwrap();
    let task = tokio::spawn(async move {
        let mut connection = Connection { failures_left: 1, queries: 0 };
        let first = retry.run_mut(&mut connection, async |mut connection| connection.execute().await).await.unwrap();
        let again = retry.retry_if(|result: &Result<u32, BoxError>| result.is_err());
        (first, again.run_mut(&mut connection, async |mut connection| connection.execute().await).await.unwrap())
    });
    assert_eq!(task.await.unwrap(), (2, 3));
}

/// ER-05: what was lent to an attempt that times out is there for the next, and for the caller when the call is
/// dropped.
#[tokio::test(start_paused = true)]
async fn er_05_given_up_and_dropped() {
    let policy = with_retry(2).build().unwrap();
    let mut queries = 0;
    let hang = async |mut queries: Lent<'_, i32>| {
        *queries += 1;
        if *queries == 1 { std::future::pending().await } else { Ok::<_, BoxError>(*queries) }
    };
    assert_eq!(policy.run_mut(&mut queries, hang).await.unwrap(), 2);
    queries = 0;
    let mut call = Box::pin(policy.run_mut(&mut queries, hang));
    assert!(tokio_test::task::spawn(&mut call).poll().is_pending());
    advance(MS).await;
    drop(call);
    assert_eq!(queries, 1);
}

/// ER-05: a closure that borrows without `mut`, as `async ||` or as `|| async`, needs nothing else, and the future is
/// `Send`.
#[tokio::test(start_paused = true)]
async fn er_05_shared_borrows() {
    let policy = with_retry(2).build().unwrap();
    let task = tokio::spawn(async move {
        let text = String::from("7");
        let text = &text;
        let first = policy.run(async || Ok::<u8, BoxError>(find(Ok(text)).await?.parse()?)).await.unwrap();
        let second = policy.run(|| async { Ok::<u8, BoxError>(find(Ok(text)).await?.parse()?) }).await.unwrap();
        first + second
    });
    assert_eq!(task.await.unwrap(), 14);
}

/// ER-04: calls with their own error type need no annotations.
#[tokio::test(start_paused = true)]
async fn er_04_run_wrapped() {
    let policy = with_retry(2).build().unwrap();
    assert_eq!(policy.run_wrapped(|| find(Ok(7))).await, Ok(7));
    let mut attempts = 0;
    let down = || {
        attempts += 1;
        find(Err::<u8, _>(StoreError::Down))
    };
    assert_eq!(policy.run_wrapped(down).await, Err(Error::Inner(StoreError::Down)));
    assert_eq!((attempts, failures(&policy)), (2, 2));
    let ping = policy.with(Class::bare());
    assert_eq!(ping.run_wrapped(async || find(Ok(7)).await).await, Ok(7));
}
