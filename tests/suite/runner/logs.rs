//! What is logged.

use seaworthy::BoxError;

use super::{Result, builder, stop_after};
use crate::support::{LevelFilter, Log, SECOND};

/// A run in which something of each kind happens.
async fn run() {
    let runner = builder().drain_delay(SECOND).grace_period(2 * SECOND).build().unwrap();
    runner.startup("migrate", async |_| Result::Ok(())).unwrap();
    runner.task("stuck", |_| std::future::pending::<Result>()).unwrap();
    runner.every("sweep", 10 * SECOND, async |_| Err::<(), BoxError>("lost".into())).unwrap();
    runner
        .task("bad", async |shutdown| {
            shutdown.requested().await;
            Err::<(), BoxError>("no".into())
        })
        .unwrap();
    runner.cleanup("pool", async || Err::<(), BoxError>("leak".into())).unwrap();
    stop_after(&runner, SECOND);
    runner.run().await.unwrap_err();
}

/// Each step once, failures as errors or warnings, under one target.
#[tokio::test(start_paused = true)]
async fn steps() {
    let log = Log::default();
    let _listening = log.listen(LevelFilter::DEBUG);
    run().await;
    let text = log.take();
    let expected = [
        ("INFO", "starting name=migrate"),
        ("INFO", "serving"),
        ("WARN", "task failed, running again name=sweep error=lost error_debug=\"lost\" panicked=false again_in=10s"),
        ("INFO", "draining reason=stop delay=1s"),
        ("INFO", "stopping grace_period=2s"),
        ("ERROR", "task failed name=bad error=no error_debug=\"no\" panicked=false"),
        ("WARN", "straggler failure=task `stuck` was aborted"),
        ("ERROR", "hook failed failure=cleanup `pool` failed: leak"),
        ("INFO", "stopped"),
    ];
    let lines: Vec<_> =
        text.lines().filter(|line| line.contains(" seaworthy::runner: ")).map(str::trim_start).collect();
    let expected: Vec<_> = expected.iter().map(|(level, line)| format!("{level} seaworthy::runner: {line}")).collect();
    assert_eq!(lines, expected, "{text}");
}
