//! ER-02: the text of an error and its sources is printed once.

use std::error::Error as StdError;
use std::time::Duration;
use std::{fmt, io};

use seaworthy::{BoxError, CircuitBreaker, Error, Rejected, StackError};

/// The pattern from the docs.
#[derive(Debug, thiserror::Error)]
enum ShopError {
    #[error("sold out")]
    SoldOut,
    #[error("call rejected")]
    Rejected(#[from] Rejected),
}

impl StackError for ShopError {
    fn rejected(&self) -> Option<&Rejected> {
        match self {
            ShopError::Rejected(rejected) => Some(rejected),
            ShopError::SoldOut => None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("no connection")]
struct NoConnection(#[source] io::Error);

fn timed_out() -> Rejected {
    Rejected::TimedOut { after: Duration::from_secs(1).into(), timeout: None }
}

/// As most reporters do it, with their own walk.
fn report(error: &(dyn StdError + 'static)) -> String {
    let words: Vec<_> = std::iter::successors(Some(error), |&error| error.source()).map(ToString::to_string).collect();
    words.join(": ")
}

fn boxed(error: impl Into<BoxError>) -> String {
    report(&*error.into())
}

/// ER-02: over `Error<E>`, over the pattern for custom enums, and over a boxed one.
#[test]
fn each_sentence_once() {
    let refused = || NoConnection(io::Error::other("refused"));
    for (text, expected) in [
        (boxed(Error::<io::Error>::from(timed_out())), "call rejected: timed out after 1s"),
        (boxed(Error::Inner(refused())), "no connection: refused"),
        (boxed(ShopError::from(timed_out())), "call rejected: timed out after 1s"),
        (boxed(ShopError::SoldOut), "sold out"),
        (boxed(timed_out()), "timed out after 1s"),
    ] {
        assert_eq!(text, expected);
    }
}

/// ER-02: a rejection is still found through a box, and through another error.
#[test]
fn found_through_a_box() {
    let error = Error::<io::Error>::from(timed_out());
    assert_eq!(error.source().and_then(|source| source.downcast_ref()), Some(&timed_out()));
    assert_eq!(BoxError::from(error).rejected(), Some(&timed_out()));
    assert_eq!(BoxError::from(ShopError::from(timed_out())).rejected(), Some(&timed_out()));
    assert_eq!(BoxError::from(io::Error::other(ShopError::from(timed_out()))).rejected(), Some(&timed_out()));
    assert!(BoxError::from(ShopError::SoldOut).rejected().is_none());
}

/// ER-02: the same for the errors of a run.
#[cfg(feature = "lifecycle")]
#[tokio::test(start_paused = true)]
async fn of_a_run() {
    let runner = seaworthy::Runner::builder().signals([]).build().unwrap();
    runner.task("http", async |_| Err::<(), _>(NoConnection(io::Error::other("refused")))).unwrap();
    runner.cleanup("pool", async || Err::<(), BoxError>(Error::<io::Error>::from(timed_out()).into())).unwrap();
    let error = runner.run().await.unwrap_err();
    assert_eq!(
        boxed(error),
        "task `http` failed: no connection: refused; cleanup `pool` failed: call rejected: timed out after 1s"
    );
}

/// ER-03: an `anyhow::Error` works as the error of a stack, and a rejection is found anywhere in it.
#[cfg(feature = "anyhow")]
#[tokio::test]
async fn anyhow() {
    use anyhow::Context;
    async fn code(fails: bool) -> anyhow::Result<u8> {
        if fails { "x".parse::<u8>().context("not a number") } else { Ok(7) }
    }
    let circuit_breaker = CircuitBreaker::builder("parser").consecutive_failures(1).build().unwrap();
    assert_eq!(circuit_breaker.run(async { code(false).await }).await.unwrap(), 7);
    let error = circuit_breaker.run(async { code(true).await }).await.unwrap_err();
    assert!(error.rejected().is_none());
    assert_eq!(format!("{error:#}"), "not a number: invalid digit found in string");
    let error = circuit_breaker.run(async { code(false).await }).await.unwrap_err();
    assert!(matches!(error.rejected(), Some(Rejected::CircuitOpen { .. })));

    let boxed = BoxError::from(Error::<io::Error>::from(timed_out()));
    for error in [
        anyhow::Error::from(timed_out()),
        anyhow::Error::from(timed_out()).context("outer").context("outermost"),
        anyhow::Error::from(Error::<io::Error>::from(timed_out())),
        anyhow::Error::from(ShopError::from(timed_out())).context("outer"),
        anyhow::Error::from_boxed(boxed),
        anyhow::anyhow!("inner").context(timed_out()),
    ] {
        assert_eq!(error.rejected(), Some(&timed_out()), "{error:?}");
    }
    // ER-02
    let text = format!("{:#}", anyhow::Error::from(Error::<io::Error>::from(timed_out())).context("order 7"));
    assert_eq!(text, "order 7: call rejected: timed out after 1s");
}

/// An error type that cannot hold a rejection.
#[derive(Clone, Debug, PartialEq)]
struct Plain(u8);

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plain {}", self.0)
    }
}

/// ER-04: an error is taken apart without a match.
#[test]
fn parts() {
    let (inner, rejected) = (Error::Inner(Plain(7)), Error::<Plain>::from(timed_out()));
    assert_eq!((inner.inner(), inner.rejected(), inner.is_rejected()), (Some(&Plain(7)), None, false));
    assert_eq!((rejected.inner(), rejected.rejected(), rejected.is_rejected()), (None, Some(&timed_out()), true));
    assert_eq!(inner.map_inner(|Plain(number)| number).into_inner(), Some(7));
    assert_eq!(rejected.clone().map_inner(|Plain(number)| number), Error::Rejected(timed_out()));
    assert_eq!(rejected.into_inner(), None);
}

/// ER-04: every handle can run code with an error of any type.
#[tokio::test(start_paused = true)]
async fn run_wrapped() {
    use seaworthy::{Bulkhead, Fallback, RetryPolicy, Timeout};
    let fails = || async { Err::<u8, _>(Plain(1)) };
    let fine = || async { Ok::<_, Plain>(7) };

    let circuit_breaker = CircuitBreaker::builder("ship").consecutive_failures(1).build().unwrap();
    assert_eq!(circuit_breaker.run_wrapped(fine()).await, Ok(7));
    assert_eq!(circuit_breaker.run_wrapped(fails()).await, Err(Error::Inner(Plain(1))));
    assert!(circuit_breaker.run_wrapped(fine()).await.unwrap_err().is_rejected());

    let bulkhead = Bulkhead::builder("ship").limit(1).build().unwrap();
    assert_eq!(bulkhead.run_wrapped(fine()).await, Ok(7));
    assert_eq!(bulkhead.run_wrapped(fails()).await, Err(Error::Inner(Plain(1))));
    let held = bulkhead.try_acquire();
    assert!(bulkhead.run_wrapped(fine()).await.unwrap_err().is_rejected());
    drop(held);

    let timeout = Timeout::new(Duration::from_secs(1));
    assert_eq!(timeout.run_wrapped(fine()).await, Ok(7));
    assert_eq!(timeout.run_wrapped(fails()).await, Err(Error::Inner(Plain(1))));
    assert_eq!(timeout.run_wrapped(std::future::pending::<Result<u8, Plain>>()).await, Err(timed_out().into()));

    let retry = RetryPolicy::builder("ship").attempts(3).build().unwrap();
    let mut attempts = 0;
    let result = retry.run_wrapped(|| {
        attempts += 1;
        std::future::ready(if attempts < 3 { Err(Plain(attempts)) } else { Ok(attempts) })
    });
    assert_eq!(result.await, Ok(3));
    assert_eq!(retry.run_wrapped(fails).await, Err(Error::Inner(Plain(1))));

    let fallback = Fallback::value("ship", 0).when(|error: &Error<Plain>| error.inner().is_some()).build().unwrap();
    assert_eq!(fallback.run_wrapped(fine()).await, Ok(7));
    assert_eq!(fallback.run_wrapped(fails()).await, Ok(0));
    let rejections = Fallback::value("ship", 0).build().unwrap();
    assert_eq!(rejections.run_wrapped(fails()).await, Err(Error::Inner(Plain(1))));
}

/// ER-06: with two timeouts in a stack, the caller knows which one it was.
#[tokio::test(start_paused = true)]
async fn which_timeout() {
    use seaworthy::Timeout;
    let layer = |name: &'static str, ms| Timeout::builder(Duration::from_millis(ms)).name(name).build().unwrap();
    for (total, attempt, expected) in [(100, 30, "attempt"), (30, 100, "total")] {
        let (total, attempt) = (layer("total", total), layer("attempt", attempt));
        let error = total.run(attempt.run(std::future::pending::<Result<(), BoxError>>())).await.unwrap_err();
        let Some(Rejected::TimedOut { after, timeout }) = error.rejected() else { panic!("{error:?}") };
        assert_eq!((after.get(), timeout.as_deref()), (Duration::from_millis(30), Some(expected)));
        assert_eq!(error.to_string(), format!("timeout `{expected}`: timed out after 30ms"));
    }
}

/// ER-07: each builder names what it builds.
#[tokio::test]
async fn builders() {
    use seaworthy::{AsyncCheck, Backoff, Bulkhead, Fallback, Health, RetryBudget, RetryPolicy, Timeout};
    const ZERO: Duration = Duration::ZERO;
    const SECOND: Duration = Duration::from_secs(1);
    let circuit_breaker = || CircuitBreaker::builder("payments");
    let bulkhead = || Bulkhead::builder("payments");
    let table = [
        (
            circuit_breaker().consecutive_failures(0).build().unwrap_err(),
            "circuit breaker `payments`: consecutive_failures is 0, must be at least 1",
        ),
        (
            circuit_breaker().failure_rate(1.5).build().unwrap_err(),
            "circuit breaker `payments`: failure_rate is 1.5, must be above 0 and at most 1",
        ),
        (
            circuit_breaker().slow_rate(0.5).build().unwrap_err(),
            "circuit breaker `payments`: slow_rate is 0.5, needs `slow_call`",
        ),
        (
            circuit_breaker().open_for(ZERO).build().unwrap_err(),
            "circuit breaker `payments`: open_for is 0ns, must be longer than zero",
        ),
        (
            circuit_breaker()
                .open_backoff(Backoff::exponential(Duration::from_secs(2), Duration::from_secs(1)))
                .build()
                .unwrap_err(),
            "circuit breaker `payments`: open_backoff is 2s to 1s, the cap must not be below the base",
        ),
        (
            circuit_breaker().max_concurrent_probes(1_001).build().unwrap_err(),
            "circuit breaker `payments`: max_concurrent_probes is 1001, must not be greater than 1,000",
        ),
        (CircuitBreaker::builder("").build().unwrap_err(), "circuit breaker: name is \"\", must not be empty"),
        (bulkhead().limit(0).build().unwrap_err(), "bulkhead `payments`: limit is 0, must be at least 1"),
        (
            bulkhead().max_queued(3).build().unwrap_err(),
            "bulkhead `payments`: max_queued is 3, means nothing without `max_wait`",
        ),
        (bulkhead().build().unwrap().set_limit(0).unwrap_err(), "bulkhead `payments`: limit is 0, must be at least 1"),
        (bulkhead().keyed::<u8>().max(0).build().unwrap_err(), "keyed `payments`: max is 0, must be at least 1"),
        (
            RetryPolicy::builder("payments").attempts(0).build().unwrap_err(),
            "retry `payments`: attempts is 0, must be at least 1",
        ),
        (
            RetryBudget::builder().ratio(2.0).build().unwrap_err(),
            "retry budget: ratio is 2.0, must be above 0 and at most 1",
        ),
        (Timeout::builder(SECOND).name("").build().unwrap_err(), "timeout: name is \"\", must not be empty"),
        (Fallback::value("", 0).build().unwrap_err(), "fallback: name is \"\", must not be empty"),
        (Health::new().require("", || true).unwrap_err(), "health check: name is \"\", must not be empty"),
        (
            AsyncCheck::builder(|| async { Ok::<_, BoxError>(()) }).failure_threshold(0).build().unwrap_err(),
            "health check: failure_threshold is 0, must be at least 1",
        ),
        #[cfg(feature = "http")]
        (seaworthy::http::HealthPaths::new("up").unwrap_err(), "health: prefix is \"up\", must begin with a slash"),
        #[cfg(feature = "prober")]
        (
            seaworthy::prober::ProbePolicy::builder().failure_threshold(0).build().unwrap_err(),
            "probe: failure_threshold is 0, must be at least 1",
        ),
    ];
    for (error, expected) in table {
        assert_eq!(error.to_string(), expected);
        let (kind, field) = (error.kind(), error.field());
        assert!(
            expected.starts_with(kind)
                && expected.contains(&format!(": {field} is {}, {}", error.value(), error.rule()))
        );
    }
    assert_eq!(
        circuit_breaker().max_concurrent_probes(0).build().unwrap_err().name().map(|name| name.as_str()),
        Some("payments")
    );
}
