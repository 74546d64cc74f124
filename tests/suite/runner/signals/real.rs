//! Signals of the operating system, sent by this process to itself. No other test listens to SIGHUP.

use std::process::Command;
use std::time::Duration;

use seaworthy::runner::Signal;
use seaworthy::{Phase, Runner};

use crate::runner::{Result, wrong};

fn send() {
    let sent = Command::new("kill").args(["-HUP", &std::process::id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[allow(clippy::disallowed_methods, reason = "signals live in real time")]
/// RN-02, RN-08: the first one, sent before `run`, is not lost and begins the shutdown; the second one aborts.
#[tokio::test]
async fn first_and_second() {
    let long = Duration::from_secs(3_600);
    let runner = Runner::builder().signals([Signal::Hangup]).grace_period(long).build().unwrap();
    runner.task("endless", |_| std::future::pending::<Result>()).unwrap();
    let (health, shutdown) = (runner.health().clone(), runner.shutdown());
    send();
    let run = tokio::spawn(runner.run());
    shutdown.requested().await;
    assert_eq!(health.phase(), Phase::Draining);
    tokio::time::sleep(Duration::from_millis(150)).await;
    send();
    let lines = wrong(run.await.unwrap());
    assert_eq!(lines, ["a second signal cut the shutdown short", "task `endless` was aborted"]);
}
