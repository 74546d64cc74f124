//! Drops in the middle of a run.

use std::future::{Future, pending};
use std::time::Duration;

use seaworthy::{Phase, Runner};
use tokio_test::task;

use super::{Result, Story, builder, nap, runner};
use crate::support::{SECOND, advance};

/// A runner with something in every stage: it starts until 1, is told to end at 2, drains until 4, has a hook until 6,
/// a task until 9 and one that never ends, so that the grace period lasts until 14; and it cleans up until 18.
fn busy(story: &Story) -> Runner {
    let runner = builder().drain_delay(2 * SECOND).grace_period(10 * SECOND).build().unwrap();
    runner.task("short", story.worker("short", 5 * SECOND)).unwrap();
    runner.task("endless", story.worker("endless", Duration::MAX)).unwrap();
    let start = async |_| {
        nap(SECOND).await;
        Result::Ok(())
    };
    runner.startup("start", start).unwrap();
    runner.on_stop("stop", story.hook("stop", 2 * SECOND)).unwrap();
    for name in ["cleanup 1", "cleanup 2"] {
        runner.cleanup(name, story.hook(name, 2 * SECOND)).unwrap();
    }
    runner
}

/// Dropping `run` aborts the tasks, requests the shutdown, and stops: in every second of its life. Hooks that had not
/// begun never do.
#[tokio::test(start_paused = true)]
async fn at_any_moment() {
    for second in 0..18 {
        let story = Story::new();
        let runner = busy(&story);
        let (handle, shutdown) = (runner.handle(), runner.shutdown());
        let mut run = task::spawn(runner.run());
        for now in 0..=second {
            if now == 2 {
                handle.stop();
            }
            // Until no task has anything to do.
            for _ in 0..20 {
                assert!(run.poll().is_pending(), "{now}");
                tokio::task::yield_now().await;
            }
            if now < second {
                advance(SECOND).await;
            }
        }
        let expected = match second {
            0 => Phase::Starting,
            1 => Phase::Serving,
            _ => Phase::Draining,
        };
        assert_eq!(handle.health().phase(), expected, "{second}");
        let before = story.lines();
        drop(run);
        assert_eq!(handle.health().phase(), Phase::Stopped);
        assert!(shutdown.is_requested());
        nap(100 * SECOND).await;
        let after = story.lines();
        for name in ["short", "endless"] {
            let gone = [&before, &after]
                .map(|lines| lines.iter().filter(|line| line.ends_with(&format!("{name} is gone"))).count());
            assert_eq!(gone[0] + gone[1], 1, "{name} at {second}: {before:?} {after:?}");
        }
        assert!(!after.iter().any(|line| line.ends_with("begins") || line.ends_with("ends")), "{second}: {after:?}");
        assert!(handle.tasks().is_empty(), "{second}");
        assert!(handle.task("late", |_| pending::<Result>()).is_err());
    }
}

/// A runner that is never run takes its tasks with it, and so does a `run` that is never polled.
#[tokio::test(start_paused = true)]
async fn never_run() {
    for polled in [false, true] {
        let (story, runner) = (Story::new(), runner());
        runner.task("a", story.worker("a", Duration::ZERO)).unwrap();
        let handle = runner.handle();
        nap(SECOND).await;
        if polled {
            drop(runner.run())
        } else {
            drop(runner)
        }
        assert_eq!(handle.health().phase(), Phase::Stopped);
        nap(SECOND).await;
        assert_eq!(story.lines(), ["0 a starts", "1 a is gone"]);
    }
}

/// A hook that holds the handle, and through it itself, is dropped with the runner, run or not.
#[tokio::test(start_paused = true)]
async fn nothing_leaks() {
    for run in [false, true] {
        let (story, runner) = (Story::new(), runner());
        for when in ["stop", "cleanup", "step"] {
            let held = (super::Gone(story.clone(), when), runner.handle());
            match when {
                "stop" => runner
                    .on_stop(when, async move || {
                        let _held = &held;
                        Result::Ok(())
                    })
                    .unwrap(),
                "cleanup" => runner
                    .cleanup(when, async move || {
                        let _held = &held;
                        Result::Ok(())
                    })
                    .unwrap(),
                _ => runner
                    .startup(when, async move |_| {
                        let _held = &held;
                        Result::Ok(())
                    })
                    .unwrap(),
            }
        }
        runner.handle().stop();
        if run {
            runner.run().await.unwrap()
        } else {
            drop(runner)
        }
        let mut lines = story.lines();
        lines.sort();
        assert_eq!(lines, ["0 cleanup is gone", "0 step is gone", "0 stop is gone"]);
    }
}

/// A run that moves to another executor drops the waker of the first, which may be anyone's code: even code that calls
/// the runner.
#[tokio::test(start_paused = true)]
async fn a_waker_that_asks() {
    struct Asks(seaworthy::RunnerHandle, std::sync::mpsc::Sender<usize>);
    impl std::task::Wake for Asks {
        fn wake(self: std::sync::Arc<Self>) {}
    }
    impl Drop for Asks {
        fn drop(&mut self) {
            self.1.send(self.0.tasks().len()).unwrap();
        }
    }
    let (answers, answered) = std::sync::mpsc::channel();
    let runner = runner();
    let handle = runner.handle();
    // On a separate thread and without a task, so that a deadlock fails the test instead of hanging it.
    std::thread::spawn(move || {
        let mut run = Box::pin(runner.run());
        for _ in 0..2 {
            let waker = std::sync::Arc::new(Asks(handle.clone(), answers.clone())).into();
            assert!(run.as_mut().poll(&mut std::task::Context::from_waker(&waker)).is_pending());
        }
    });
    assert_eq!(answered.recv_timeout(10 * SECOND), Ok(0));
}

/// What is dropped can be sent, and what stays can be shared.
#[test]
fn traits() {
    fn is_send<T: Send>(_: impl FnOnce() -> T) {}
    fn is_shared<T: Send + Sync>() {}
    is_send(|| runner().run());
    is_send(runner);
    is_shared::<seaworthy::RunnerHandle>();
    is_shared::<Runner>();
    is_shared::<seaworthy::RunError>();
    is_shared::<seaworthy::runner::BuildError>();
}
