//! ER-01: errors with infinite chains of sources.

use std::error::Error as StdError;
use std::fmt;

use seaworthy::{AsyncCheck, BoxError, CircuitBreaker, Rejected, StackError, Status};

/// Is its own source.
#[derive(Debug)]
struct Own;

static OWN: Own = Own;

impl fmt::Display for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("round")
    }
}

impl StdError for Own {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&OWN)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("level")]
struct Level(#[source] BoxError);

fn nested(levels: usize, innermost: impl Into<BoxError>) -> BoxError {
    (0..levels).fold(innermost.into(), |error, _| Level(error).into())
}

/// ER-01: a call that fails with such an error is a failed call, and no more.
#[tokio::test]
async fn a_call_returns() {
    let circuit_breaker = CircuitBreaker::builder("ship").consecutive_failures(2).build().unwrap();
    for error in [Own.into(), nested(10_000, "deep")] {
        let result = circuit_breaker.run(async { Err::<(), BoxError>(error) }).await;
        assert!(result.unwrap_err().rejected().is_none());
    }
    assert!(circuit_breaker.run(async { Ok::<_, BoxError>(()) }).await.unwrap_err().rejected().is_some());
    // A rejection is found wherever it would normally be.
    let full = || Rejected::BulkheadFull { name: "ship".into(), retry_after: None.into() };
    assert!(nested(60, full()).rejected().is_some());
    assert!(nested(70, full()).rejected().is_none());
}

/// ER-01: the text of a check is finite.
#[tokio::test]
async fn a_checks_text_ends() {
    let down = |text: &'static str| Status::Down(text.into());
    assert_eq!(AsyncCheck::new(|| async { Err::<(), _>(Own) }).run().await, down("round"));
    assert_eq!(AsyncCheck::new(|| async { Err::<(), _>(nested(10_000, "deep")) }).run().await, down("level"));
    assert_eq!(AsyncCheck::new(|| async { Err::<(), _>(nested(1, "deep")) }).run().await, down("level: deep"));
}

/// ER-01: so is that of a probe.
#[cfg(feature = "prober")]
#[tokio::test(start_paused = true)]
async fn a_probes_text_ends() {
    use seaworthy::prober::{ProbePolicy, Prober};
    let prober = Prober::builder().build().unwrap();
    let target = prober.add("ship", ProbePolicy::default(), || async { Err::<(), _>(Own) }).unwrap();
    prober.run(crate::support::pass(crate::support::SECOND)).await;
    assert_eq!(target.status().unwrap().last_error.as_deref(), Some("round"));
}

/// ER-01: and the runner finds out whether an end was graceful.
#[cfg(feature = "lifecycle")]
#[tokio::test(start_paused = true)]
async fn an_end_is_judged() {
    use seaworthy::Runner;
    use seaworthy::runner::Task;
    for (error, fine) in [
        (BoxError::from(Own), false),
        (nested(10_000, "deep"), false),
        (nested(3, std::io::Error::from(std::io::ErrorKind::BrokenPipe)), true),
    ] {
        let runner = Runner::builder().signals([]).build().unwrap();
        let task = Task::new("server", async move |shutdown: seaworthy::Shutdown| {
            shutdown.requested().await;
            Err::<(), BoxError>(error)
        });
        runner.start(task.server()).unwrap();
        runner.handle().stop();
        assert_eq!(runner.run().await.is_ok(), fine);
    }
}
