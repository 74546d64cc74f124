use seaworthy::{Backoff, BoxError, RetryPolicy};

use crate::support::{LevelFilter, Log};

/// Prints nothing, as some errors do.
#[derive(Debug, thiserror::Error)]
#[error("")]
struct Silent {
    #[allow(dead_code, reason = "it is what `Debug` prints")]
    code: u32,
}

/// What is logged while a policy retries `error`, with 3 attempts 250 ms apart.
async fn logged<E: Into<BoxError>>(result: impl Fn() -> Result<(), E>) -> Vec<String> {
    let log = Log::default();
    let _listening = log.listen(LevelFilter::DEBUG);
    let backoff = Backoff::constant(250 * crate::support::MS);
    let policy = RetryPolicy::builder("orders").backoff(backoff).build().unwrap();
    let _result = policy.run(|| async { result().map_err(Into::into) }).await;
    let text = log.take();
    text.lines().map(str::to_owned).collect()
}

/// RT-14: each failure is logged with the attempt, the delay, and the error's `Display` and `Debug`.
#[tokio::test(start_paused = true)]
async fn failures() {
    let lines = logged(|| Err(Silent { code: 7 })).await;
    assert_eq!(lines.len(), 3, "{lines:#?}");
    for (line, attempt) in lines.iter().zip(["attempt=1", "attempt=2", "attempts=3"]) {
        assert!(line.contains("DEBUG seaworthy::retry: "), "{line}");
        for part in [attempt, "name=orders", "error= ", "error_debug=Silent { code: 7 }"] {
            assert!(line.contains(part), "no `{part}` in: {line}");
        }
    }
    assert!(lines[0].contains("attempt failed, retrying") && lines[0].contains("delay=250ms"), "{}", lines[0]);
    assert!(lines[2].contains("not retrying") && lines[2].contains("reason=attempts exhausted"), "{}", lines[2]);
}

/// Nothing is logged for a call that succeeds at once, and nothing but the failures for one that succeeds later.
#[tokio::test(start_paused = true)]
async fn successes() {
    assert_eq!(logged(|| Ok::<_, Silent>(())).await, [""; 0]);
    let attempts = std::sync::atomic::AtomicU32::new(0);
    let second = || match attempts.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        0 => Err(Silent { code: 1 }),
        _ => Ok(()),
    };
    let lines = logged(second).await;
    assert_eq!(lines.len(), 1, "{lines:#?}");
}
