//! The startup steps.

use std::time::Duration;

use seaworthy::runner::RegisterError;
use seaworthy::{BoxError, Phase};

use super::{Result, Story, after, builder, nap, runner, stop_after, wrong};
use crate::support::SECOND;

/// RN-09: one after another, and ready after the last; a step can register what it created.
#[tokio::test(start_paused = true)]
async fn in_order() {
    let (story, runner) = (Story::new(), runner());
    for name in ["1", "2", "3"] {
        let story = story.clone();
        let step = async move |handle: seaworthy::RunnerHandle| {
            story.tell(format!("{name} {}", handle.health().phase()));
            nap(SECOND).await;
            handle.task(name, story.worker(name, Duration::ZERO))?;
            handle.cleanup(name, story.hook(name, Duration::ZERO))?;
            Result::Ok(())
        };
        runner.startup(name, step).unwrap();
    }
    let telling = story.clone();
    after(&runner, 4 * SECOND, async move |handle| {
        telling.tell(handle.health().phase().to_string());
        handle.stop();
    });
    assert!(runner.run().await.is_ok());
    let lines = story.lines();
    assert_eq!(
        lines[..7],
        ["0 1 starting", "1 2 starting", "1 1 starts", "2 3 starting", "2 2 starts", "3 3 starts", "4 serving"]
    );
    let ends: Vec<_> = lines.iter().filter(|line| line.ends_with("ends")).collect();
    assert_eq!(ends, ["4 3 ends", "4 2 ends", "4 1 ends"]);
}

/// RN-09: one that fails or panics stops the startup: the rest are not run, the service never serves, the cleanups so
/// far are run, without a drain delay.
#[tokio::test(start_paused = true)]
async fn failing() {
    for panics in [false, true] {
        let story = Story::new();
        let runner = builder().drain_delay(100 * SECOND).build().unwrap();
        runner.task("early", story.worker("early", Duration::ZERO)).unwrap();
        let telling = story.clone();
        let first = async move |handle: seaworthy::RunnerHandle| {
            handle.on_stop("stop", telling.hook("stop", Duration::ZERO))?;
            handle.cleanup("first", telling.hook("first", Duration::ZERO))
        };
        runner.startup("first", first).unwrap();
        let health = runner.health().clone();
        let second = async move |_| {
            nap(SECOND).await;
            assert_eq!(health.phase(), Phase::Starting);
            if panics { panic!("no") } else { Err(BoxError::from("no")) }
        };
        runner.startup("second", second).unwrap();
        let telling = story.clone();
        let third = async move |_| {
            telling.tell("third");
            Result::Ok(())
        };
        runner.startup("third", third).unwrap();
        let words = if panics { "panicked" } else { "failed" };
        assert_eq!(wrong(runner.run().await), [format!("startup step `second` {words}: no")]);
        let expected = [
            "0 early starts",
            "1 stop begins",
            "1 stop ends",
            "1 early is told",
            "1 early is done",
            "1 early is gone",
            "1 first begins",
            "1 first ends",
        ];
        assert_eq!(story.lines(), expected);
    }
}

/// RN-09: a signal or a task that fails during the startup stops it, too: the step is dropped where it is.
#[tokio::test(start_paused = true)]
async fn told_to_end() {
    for fails in [false, true] {
        let (story, runner) = (Story::new(), runner());
        let telling = story.clone();
        let step = async move |handle: seaworthy::RunnerHandle| {
            let _gone = super::Gone(telling.clone(), "step");
            handle.cleanup("cleanup", telling.hook("cleanup", Duration::ZERO))?;
            std::future::pending::<Result>().await
        };
        runner.startup("step", step).unwrap();
        let never = async |_| -> Result { panic!("begun after the end") };
        runner.startup("never", never).unwrap();
        let health = runner.health().clone();
        after(&runner, SECOND, async move |handle| match fails {
            false => handle.interrupt(),
            true => handle.task("task", async |_| Err::<(), BoxError>("no".into())).unwrap(),
        });
        let lines = wrong(runner.run().await);
        assert_eq!(lines, if fails { vec!["task `task` failed: no"] } else { Vec::new() });
        assert_eq!(story.lines(), ["1 step is gone", "1 cleanup begins", "1 cleanup ends"]);
        assert_eq!(health.phase(), Phase::Stopped);
    }
}

/// RN-09: told to end before it began, it begins nothing.
#[tokio::test(start_paused = true)]
async fn told_before() {
    let runner = runner();
    let never = async |_| -> Result { panic!("begun after the end") };
    runner.startup("never", never).unwrap();
    runner.handle().stop();
    assert!(runner.run().await.is_ok());
}

/// RN-09: a step that stops the runner itself still finishes, and the next is not begun.
#[tokio::test(start_paused = true)]
async fn stops_itself() {
    let runner = runner();
    let step = async |handle: seaworthy::RunnerHandle| {
        handle.stop();
        Result::Ok(())
    };
    runner.startup("step", step).unwrap();
    runner.startup("never", async |_| -> Result { panic!("begun after the end") }).unwrap();
    assert!(runner.run().await.is_ok());
}

/// RN-06: a step that panics when it is dropped has panicked.
#[tokio::test(start_paused = true)]
async fn panics_when_dropped() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    let runner = runner();
    let step = async |_| {
        let _bomb = Bomb;
        std::future::pending::<Result>().await
    };
    runner.startup("step", step).unwrap();
    stop_after(&runner, SECOND);
    assert_eq!(wrong(runner.run().await), ["startup step `step` panicked: dropped"]);
}

/// RN-04, RN-06: steps that are not begun are dropped, and one that panics then has panicked; the cleanups are run all
/// the same.
#[tokio::test(start_paused = true)]
async fn panics_when_left_out() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("left out");
        }
    }
    let (story, runner) = (Story::new(), runner());
    runner.startup("first", async |_| Err::<(), BoxError>("no".into())).unwrap();
    for name in ["second", "third"] {
        let bomb = Bomb;
        let step = move |_| {
            let _bomb = &bomb;
            std::future::ready(Result::Ok(()))
        };
        runner.startup(name, step).unwrap();
    }
    runner.cleanup("cleanup", story.hook("cleanup", Duration::ZERO)).unwrap();
    assert_eq!(
        wrong(runner.run().await),
        [
            "startup step `first` failed: no",
            "startup step `second` panicked: left out",
            "startup step `third` panicked: left out"
        ]
    );
    assert_eq!(story.lines(), ["0 cleanup begins", "0 cleanup ends"]);
}

#[tokio::test(start_paused = true)]
async fn needs_a_name() {
    let error = runner().startup("", async |_| Result::Ok(())).unwrap_err();
    assert!(matches!(error, RegisterError::Config(error) if error.field() == "name"));
}

/// HC-07: live as soon as the run has begun, even during the startup steps; ready and started once they are done, and
/// not before. Before the run, none of these.
#[cfg(feature = "http")]
#[tokio::test(start_paused = true)]
async fn live_while_it_starts() {
    use tower::ServiceExt;
    let runner = runner();
    let endpoints = runner.health().endpoints();
    let ask = async move || {
        let mut answers = Vec::new();
        for name in ["live", "ready", "startup"] {
            let request = http::Request::get(format!("/health/{name}")).body(()).unwrap();
            let Ok(response) = endpoints.clone().oneshot(request).await;
            answers.push(response.status().as_u16());
        }
        answers
    };
    assert_eq!(ask().await, [503, 503, 503]);
    let asks = ask.clone();
    runner
        .startup("migrate", async move |_| {
            assert_eq!(asks().await, [200, 503, 503]);
            nap(3 * SECOND).await;
            assert_eq!(asks().await, [200, 503, 503]);
            Result::Ok(())
        })
        .unwrap();
    let asks = ask.clone();
    after(&runner, 4 * SECOND, async move |handle| {
        assert_eq!(asks().await, [200, 200, 200]);
        handle.stop();
    });
    assert!(runner.run().await.is_ok());
    assert_eq!(ask().await, [200, 503, 200]);
}
