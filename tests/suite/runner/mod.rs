//! The runner: RN-01 to RN-12, and WF-01 to WF-08.

mod broken_log;
mod drops;
mod end;
mod every;
mod follow;
mod hooks;
mod in_flight;
mod logs;
mod races;
mod settings;
mod signals;
mod startup;
mod supervise;
mod tasks;
mod threads;

use std::future::{Future, pending};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::runner::RunnerBuilder;
use seaworthy::{BoxError, RunError, Runner, RunnerHandle, Shutdown};

use crate::support::now;

type Result = std::result::Result<(), BoxError>;

/// A runner that listens to none of the process's signals, which all tests share.
fn builder() -> RunnerBuilder {
    Runner::builder().signals([])
}

fn runner() -> Runner {
    builder().build().unwrap()
}

/// What happened, each with its second.
#[derive(Clone, Debug)]
struct Story {
    start: tokio::time::Instant,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Story {
    fn new() -> Story {
        Story { start: now(), lines: Arc::default() }
    }

    fn tell(&self, what: impl AsRef<str>) {
        let at = (now() - self.start).as_secs_f64();
        self.lines.lock().unwrap().push(format!("{at:.0} {}", what.as_ref()));
    }

    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }

    /// A task that records when it is told to finish, takes this long for it, and records when it is dropped.
    fn worker(&self, name: &'static str, takes: Duration) -> impl FnOnce(Shutdown) -> Told<Result> + Send + use<> {
        let story = self.clone();
        move |shutdown| {
            let told = Gone(story, name);
            Box::pin(async move {
                told.0.tell(format!("{name} starts"));
                shutdown.requested().await;
                told.0.tell(format!("{name} is told"));
                nap(takes).await;
                told.0.tell(format!("{name} is done"));
                Ok(())
            })
        }
    }

    /// A hook that takes this long.
    fn hook(&self, name: &'static str, takes: Duration) -> impl FnOnce() -> Told<Result> + Send + use<> {
        let story = self.clone();
        move || {
            Box::pin(async move {
                story.tell(format!("{name} begins"));
                nap(takes).await;
                story.tell(format!("{name} ends"));
                Ok(())
            })
        }
    }
}

type Told<T> = std::pin::Pin<Box<dyn Future<Output = T> + Send>>;

/// Records when it is dropped.
struct Gone(Story, &'static str);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.tell(format!("{} is gone", self.1));
    }
}

/// Waits on the paused clock; for ever, if the clock cannot represent the time.
async fn nap(time: Duration) {
    if time == Duration::MAX {
        pending().await
    }
    let alarm = tokio::time::timeout(time, pending::<()>());
    if !time.is_zero() {
        alarm.await.unwrap_err();
    }
}

/// Does something to the runner after a while, beside it.
fn after<F: Future<Output = ()> + Send>(
    runner: &Runner,
    time: Duration,
    then: impl FnOnce(RunnerHandle) -> F + Send + 'static,
) {
    let handle = runner.handle();
    tokio::spawn(async move {
        nap(time).await;
        then(handle).await;
    });
}

fn stop_after(runner: &Runner, time: Duration) {
    after(runner, time, async |handle| handle.stop());
}

/// What went wrong, one line each.
fn wrong(result: std::result::Result<(), RunError>) -> Vec<String> {
    let Err(error) = result else { return Vec::new() };
    let lines: Vec<_> = error.failures().map(ToString::to_string).collect();
    assert_eq!(format!("{error:#}"), lines.join("\n"));
    assert_eq!(error.to_string(), lines.join("; "));
    assert_eq!(error.first().to_string(), lines[0]);
    assert_eq!(error.into_failures().len(), lines.len());
    lines
}
