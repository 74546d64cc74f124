//! Tasks that are restarted.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::observe::RunnerEvent;
use seaworthy::runner::{RestartPolicy, Task};
use seaworthy::{Backoff, BoxError, Event, Jitter, Shutdown};

use super::{Result, Story, after, builder, nap, runner, stop_after, wrong};
use crate::support::{MS, SECOND};

fn doubling() -> RestartPolicy {
    RestartPolicy::new(Backoff::exponential(SECOND, 4 * SECOND).jitter(Jitter::None)).reset_after(10 * SECOND)
}

/// Runs as long as each of `runs` says and then fails, or panics every second time; after the last it goes on until
/// told.
fn failing(story: &Story, runs: &'static [u64]) -> impl FnMut(Shutdown) -> super::Told<Result> + Send + use<> {
    let story = story.clone();
    let mut run = 0;
    move |shutdown| {
        let (story, index) = (story.clone(), run);
        run += 1;
        Box::pin(async move {
            story.tell("starts");
            let Some(seconds) = runs.get(index) else {
                shutdown.requested().await;
                return Ok(());
            };
            nap(Duration::from_secs(*seconds)).await;
            if index % 2 == 1 { panic!("run {index}") } else { Err(BoxError::from(format!("run {index}"))) }
        })
    }
}

/// RN-10: the wait doubles up to its cap, starts over after a stable run, and panics count like other failures. What it
/// recovered from is counted, and is no failure of the run.
#[tokio::test(start_paused = true)]
async fn starts_again() {
    let (story, runner) = (Story::new(), runner());
    runner.supervise("feed", doubling(), failing(&story, &[1, 0, 0, 0, 10, 0])).unwrap();
    let telling = story.clone();
    after(&runner, 60 * SECOND, async move |handle| {
        let task = &handle.tasks()[0];
        telling.tell(format!("{} {} {} {}", task.name, task.runs, task.failures, task.panics));
        handle.stop();
    });
    assert!(runner.run().await.is_ok());
    let starts = ["0 starts", "2 starts", "4 starts", "8 starts", "12 starts", "23 starts", "25 starts"];
    let lines = story.lines();
    assert_eq!(lines[..7], starts);
    assert_eq!(lines[7..], ["60 feed 7 6 3"]);
}

/// RN-10: it stops at once at the shutdown, even during a wait.
#[tokio::test(start_paused = true)]
async fn stops_in_a_wait() {
    let (story, runner) = (Story::new(), runner());
    let restart = RestartPolicy::new(Backoff::constant(Duration::MAX));
    runner.supervise("feed", restart, failing(&story, &[1, 1, 1])).unwrap();
    stop_after(&runner, 100 * SECOND);
    let telling = story.clone();
    assert!(runner.run().await.is_ok());
    telling.tell("returns");
    assert_eq!(story.lines(), ["0 starts", "100 returns"]);
}

/// RN-10: during a run it is told to finish, and does not recover from an error after that.
#[tokio::test(start_paused = true)]
async fn fails_at_the_end() {
    for panics in [false, true] {
        let runner = runner();
        let work = move |shutdown: Shutdown| async move {
            shutdown.requested().await;
            if panics { panic!("flush") } else { Err(BoxError::from("flush")) }
        };
        runner.supervise("feed", doubling(), work).unwrap();
        stop_after(&runner, SECOND);
        let how = if panics { "panicked" } else { "failed" };
        assert_eq!(wrong(runner.run().await), [format!("task `feed` {how}: flush")]);
    }
}

/// RN-10: it is not restarted once it has succeeded; an essential one then ends the run.
#[tokio::test(start_paused = true)]
async fn ends_well() {
    let (story, runner) = (Story::new(), runner());
    let telling = story.clone();
    let work = move |_| {
        let story = telling.clone();
        async move {
            story.tell("starts");
            nap(SECOND).await;
            Result::Ok(())
        }
    };
    runner.start(Task::supervised("feed", doubling(), work).essential()).unwrap();
    assert!(runner.run().await.is_ok());
    story.tell("returns");
    assert_eq!(story.lines(), ["0 starts", "1 returns"]);
}

/// RN-10: it gives up after this many restarts in a row, and that is a failure of the run, with the last error.
#[tokio::test(start_paused = true)]
async fn gives_up() {
    let (story, runner) = (Story::new(), runner());
    runner.supervise("feed", doubling().max_restarts(2), failing(&story, &[0, 0, 0, 0])).unwrap();
    assert_eq!(wrong(runner.run().await), ["task `feed` failed: run 2"]);
    assert_eq!(story.lines(), ["0 starts", "1 starts", "3 starts"]);
}

/// RN-10: a task whose closure panics before there is a future is restarted like any other; and never in a hot loop.
#[tokio::test(start_paused = true)]
async fn panics_before_its_future() {
    let runs = Arc::new(Mutex::new(0));
    let runner = builder().random_seed(7).build().unwrap();
    let count = Arc::clone(&runs);
    let work = move |_| -> std::future::Ready<Result> {
        *count.lock().unwrap() += 1;
        panic!("no future")
    };
    let shortest = Backoff::exponential(Duration::from_nanos(1), Duration::from_nanos(1));
    runner.supervise("feed", RestartPolicy::new(shortest), work).unwrap();
    stop_after(&runner, SECOND);
    assert!(runner.run().await.is_ok());
    let runs = *runs.lock().unwrap();
    assert!((400..=1001).contains(&runs), "{runs} runs in a thousand milliseconds");
}

/// RN-10: jitter is drawn from the seed, and has an effect.
#[tokio::test(start_paused = true)]
async fn jitter() {
    let mut seen = Vec::new();
    for seed in [1, 1, 2] {
        let starts = Arc::new(Mutex::new(Vec::new()));
        let runner = builder().random_seed(seed).build().unwrap();
        let telling = Arc::clone(&starts);
        let begin = crate::support::now();
        let work = move |_| {
            telling.lock().unwrap().push(crate::support::now() - begin);
            async { Err::<(), BoxError>("x".into()) }
        };
        runner.supervise("feed", Backoff::exponential(SECOND, 8 * SECOND), work).unwrap();
        stop_after(&runner, 60 * SECOND);
        assert!(runner.run().await.is_ok());
        seen.push(std::mem::take(&mut *starts.lock().unwrap()));
    }
    assert_eq!(seen[0], seen[1]);
    assert_ne!(seen[0], seen[2]);
    assert!(seen[0].windows(2).all(|pair| pair[1] - pair[0] <= 8 * SECOND + MS));
}

/// RN-05: each failure is reported to the observer, with the wait that follows; the one without recovery, without.
#[tokio::test(start_paused = true)]
async fn is_told() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = Arc::clone(&told);
    let observer = move |event: &Event<'_>| match event {
        Event::Runner(RunnerEvent::TaskFailed { name, error, panicked, again_in, .. }) => {
            telling.lock().unwrap().push(format!("{name} {error} {panicked} {again_in:?}"));
            // An observer's panic affects nothing else.
            panic!("observer");
        }
        other => panic!("no runner tells {other:?}"),
    };
    let runner = builder().observer(observer).build().unwrap();
    let story = Story::new();
    runner.supervise("feed", doubling().max_restarts(2), failing(&story, &[0, 0, 0, 0])).unwrap();
    assert_eq!(wrong(runner.run().await).len(), 1);
    assert_eq!(
        *told.lock().unwrap(),
        ["feed run 0 false Some(1s)", "feed run 1 true Some(2s)", "feed run 2 false None"]
    );
}
