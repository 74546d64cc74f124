//! Settings that are refused.

use std::time::Duration;

use seaworthy::runner::{BuildError, Periodic, RegisterError, RestartPolicy, Signal, Task};
use seaworthy::{Backoff, Runner, Shutdown};

use super::{Result, builder, runner};
use crate::support::SECOND;

async fn idle(_: Shutdown) -> Result {
    Ok(())
}

fn refused(result: std::result::Result<(), RegisterError>) -> &'static str {
    match result {
        Err(RegisterError::Config(error)) => error.field(),
        other => panic!("{other:?}"),
    }
}

/// Anything unusable is named.
#[tokio::test(start_paused = true)]
async fn fields() {
    let error = builder().hook_timeout(Duration::ZERO).build().unwrap_err();
    assert!(matches!(&error, BuildError::Config(config) if config.field() == "hook_timeout"), "{error}");
    // Both are useful.
    assert!(builder().grace_period(Duration::ZERO).drain_delay(Duration::ZERO).build().is_ok());

    let runner = runner();
    assert_eq!(refused(runner.task("", idle)), "name");
    assert_eq!(refused(runner.every("", SECOND, idle)), "name");
    assert_eq!(refused(runner.supervise("", RestartPolicy::default(), idle)), "name");
    assert_eq!(refused(runner.on_stop("", async || Result::Ok(()))), "name");
    assert_eq!(refused(runner.cleanup("", async || Result::Ok(()))), "name");
    let handle = runner.handle();
    assert_eq!(refused(handle.on_stop_within("a", Duration::ZERO, async || Result::Ok(()))), "limit");
    assert_eq!(refused(handle.cleanup_within("a", Duration::ZERO, async || Result::Ok(()))), "limit");

    for (restart, field) in [
        (RestartPolicy::new(Backoff::constant(Duration::ZERO)), "restart"),
        (RestartPolicy::new(Backoff::exponential(Duration::ZERO, SECOND)), "restart"),
        (RestartPolicy::new(Backoff::exponential(2 * SECOND, SECOND)), "restart"),
        (RestartPolicy::new(Backoff::exponential(SECOND, SECOND).factor(0.5)), "restart"),
        (RestartPolicy::default().reset_after(Duration::ZERO), "reset_after"),
        (RestartPolicy::default().max_restarts(0), "at_most"),
    ] {
        assert_eq!(refused(runner.supervise("a", restart, idle)), field, "{restart:?}");
    }
    for (every, field) in [
        (Periodic::new(Duration::ZERO), "every"),
        (Periodic::new(Duration::from_nanos(999_999)), "every"),
        (Periodic::new(SECOND).jitter(2 * SECOND), "jitter"),
    ] {
        assert_eq!(refused(runner.every("a", every, idle)), field, "{every:?}");
    }
    assert_eq!(refused(runner.start(Task::every("a", SECOND, idle).essential())), "essential");
    assert_eq!(refused(runner.start(Task::every("a", SECOND, idle).server())), "graceful_if");
    // None of this was started, and the limits themselves are fine.
    assert!(handle.tasks().is_empty());
    runner.every("a", Periodic::new(Duration::from_millis(1)).jitter(Duration::from_millis(1)), idle).unwrap();
    runner.supervise("a", RestartPolicy::default().reset_after(Duration::MAX).max_restarts(1), idle).unwrap();
    assert_eq!(handle.tasks().len(), 2);
}

/// A runner cannot be built without a runtime.
#[test]
fn no_runtime() {
    assert!(matches!(Runner::builder().build(), Err(BuildError::NoRuntime)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let runner = runtime.block_on(async { builder().build().unwrap() });
    // A runner built inside one is used from anywhere, and when the runtime is gone, so are the tasks.
    runner.task("a", |_| std::future::pending::<Result>()).unwrap();
    drop(runtime);
    assert!(runner.handle().tasks().is_empty());
    runner.task("b", |_| std::future::pending::<Result>()).unwrap();
    assert!(runner.handle().tasks().is_empty());
    let run = runner.run();
    let other = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(super::wrong(other.block_on(run)), ["task `a` was aborted", "task `b` was aborted"]);
}

/// A signal listed twice is heard once, and each signal separately.
#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn signals() {
    use Signal::{Hangup, Interrupt, Quit, Terminate};
    assert!(Runner::builder().build().is_ok());
    assert!(Runner::builder().signals([Interrupt, Terminate, Hangup, Quit, Interrupt]).build().is_ok());
    let names = [Interrupt, Terminate, Hangup, Quit].map(|signal| signal.to_string());
    assert_eq!(names, ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]);
}
