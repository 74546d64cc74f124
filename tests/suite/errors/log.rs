//! ER-10: text from outside makes no second line in a log.

use std::time::Duration;

use seaworthy::{BoxError, Bulkhead, CircuitBreaker, Fallback, Health, Phase, RetryPolicy, Timeout, Verdict};

use crate::support::{LevelFilter, Log};

const FORGES: &str = "x\nFORGED\x1b[31m\u{202e}\u{2028}";
const ESCAPED: &str = "x\\nFORGED\\u{1b}[31m\\u{202e}\\u{2028}";

/// Its `Debug` is its text, as with `anyhow::Error` and many others.
struct Forges;

impl std::fmt::Debug for Forges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(FORGES)
    }
}

impl std::fmt::Display for Forges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(FORGES)
    }
}

impl std::error::Error for Forges {}

fn fails() -> std::future::Ready<Result<(), BoxError>> {
    std::future::ready(Err(Forges.into()))
}

async fn everything() {
    let circuit_breaker = CircuitBreaker::builder(FORGES).consecutive_failures(1).build().unwrap();
    circuit_breaker.admit().unwrap().settle(Verdict::Failure);
    assert!(circuit_breaker.admit().is_err());
    let bulkhead = Bulkhead::builder(FORGES).limit(1).build().unwrap();
    let _held = bulkhead.try_acquire();
    assert!(bulkhead.try_acquire().is_err());
    let retry = RetryPolicy::builder(FORGES).attempts(2).build().unwrap();
    assert!(retry.run(fails).await.is_err());
    let fallback = Fallback::value(FORGES, ()).when(|_: &BoxError| true).build().unwrap();
    assert!(fallback.run(fails()).await.is_ok());
    let timeout = Timeout::builder(Duration::from_millis(1)).name(FORGES).build().unwrap();
    assert!(timeout.run(std::future::pending::<Result<(), BoxError>>()).await.is_err());
    let health = Health::new();
    health.advance(Phase::Serving);
    health.require(FORGES, seaworthy::AsyncCheck::new(fails)).unwrap();
    health.run_checks().await;
    assert!(health.admit().is_err());
    let panics =
        CircuitBreaker::builder(FORGES).observer(|_: &seaworthy::Event<'_>| panic!("{FORGES}")).build().unwrap();
    panics.force_open();
    #[cfg(feature = "lifecycle")]
    {
        let runner = seaworthy::Runner::builder().signals([]).build().unwrap();
        runner.startup(FORGES, async |_| Ok::<_, BoxError>(())).unwrap();
        runner.task(FORGES, async |_| fails().await).unwrap();
        runner.on_stop(FORGES, async || fails().await).unwrap();
        runner.cleanup(FORGES, async || -> Result<(), BoxError> { panic!("{FORGES}") }).unwrap();
        assert!(runner.run().await.is_err());
    }
}

/// ER-10: through retry, fallback, timeouts, tasks, hooks, checks, circuit breakers, bulkheads and observers, each line
/// is one of ours, without anything that should not show.
#[tokio::test(start_paused = true)]
async fn one_line_each() {
    let log = Log::default();
    let _listening = log.listen(LevelFilter::DEBUG);
    everything().await;
    let text = log.take();
    for line in text.lines() {
        assert!(line.contains(" seaworthy::"), "{line:?}");
        assert!(!line.chars().any(|c| c.is_control() || matches!(c, '\u{202e}' | '\u{2028}')), "{line:?}");
    }
    let mut targets = vec!["circuit_breaker", "bulkhead", "retry", "fallback", "timeout", "health", "observer"];
    if cfg!(feature = "lifecycle") {
        targets.push("runner");
    }
    for target in targets {
        let told = |line: &str| line.contains(&format!(" seaworthy::{target}: ")) && line.contains(ESCAPED);
        assert!(text.lines().any(told), "{target}: {text}");
    }
}
