//! The order of the shutdown, and how long it takes.

use std::time::Duration;

use seaworthy::{Health, Phase, Shutdown};

use super::{Result, Story, after, builder, runner, stop_after, wrong};
use crate::support::{SECOND, now};

/// RN-03: the whole shutdown as one list: phase, drain delay, token, hooks last first, tasks, stragglers, cleanups last
/// first, phase.
#[tokio::test(start_paused = true)]
async fn in_order() {
    let story = Story::new();
    let runner = builder().drain_delay(5 * SECOND).grace_period(10 * SECOND).build().unwrap();
    runner.task("quick", story.worker("quick", 4 * SECOND)).unwrap();
    runner.task("slow", story.worker("slow", Duration::MAX)).unwrap();
    for (name, takes) in [("stop 1", SECOND), ("stop 2", 2 * SECOND)] {
        runner.on_stop(name, story.hook(name, takes)).unwrap();
    }
    for (name, takes) in [("cleanup 1", 4 * SECOND), ("cleanup 2", SECOND)] {
        runner.cleanup(name, story.hook(name, takes)).unwrap();
    }
    let phases = story.clone();
    let health = runner.health().clone();
    runner
        .on_stop("phase", move || async move {
            phases.tell(health.phase().to_string());
            Result::Ok(())
        })
        .unwrap();
    let (phases, health) = (story.clone(), runner.health().clone());
    after(&runner, SECOND, async move |handle| {
        phases.tell(format!("{}, stop", health.phase()));
        handle.stop();
        tokio::task::yield_now().await;
        phases.tell(format!("{}, told: {}", health.phase(), handle.shutdown().is_requested()));
    });
    let health = runner.health().clone();
    assert_eq!(health.phase(), Phase::Starting);
    let result = runner.run().await;
    story.tell(format!("{}, returns", health.phase()));
    let expected = [
        "0 quick starts",
        "0 slow starts",
        "1 serving, stop",
        "1 draining, told: false",
        // The drain delay.
        "6 draining",
        "6 stop 2 begins",
        "6 quick is told",
        "6 slow is told",
        "8 stop 2 ends",
        "8 stop 1 begins",
        "9 stop 1 ends",
        "10 quick is done",
        "10 quick is gone",
        // The grace period counts from 6.
        "16 slow is gone",
        "16 cleanup 2 begins",
        "17 cleanup 2 ends",
        "17 cleanup 1 begins",
        "21 cleanup 1 ends",
        "21 stopped, returns",
    ];
    let lines = story.lines();
    assert_eq!(lines, expected, "{lines:#?}");
    assert_eq!(wrong(result), ["task `slow` was aborted"]);
}

/// RN-02, RN-05: told to end, with nothing to wait for, it is over at once, without an error. So is an empty one.
#[tokio::test(start_paused = true)]
async fn nothing_to_wait_for() {
    let story = Story::new();
    let runner = runner();
    runner.task("server", story.worker("server", Duration::ZERO)).unwrap();
    runner.task("done", async |_| Result::Ok(())).unwrap();
    stop_after(&runner, SECOND);
    assert!(runner.run().await.is_ok());
    story.tell("returns");
    let expected = ["0 server starts", "1 server is told", "1 server is done", "1 server is gone", "1 returns"];
    assert_eq!(story.lines(), expected);

    let empty = super::runner();
    empty.handle().stop();
    assert!(empty.run().await.is_ok());
}

/// RN-02: a cancelled parent ends it, whichever it is, even one cancelled before it began; and the tasks are told in
/// order, not by the parent.
#[tokio::test(start_paused = true)]
async fn parents() {
    for which in 0..2 {
        let parents = [Shutdown::new(), Shutdown::new()];
        let mut builder = builder().drain_delay(SECOND);
        for (_, parent) in &parents {
            builder = builder.parent(parent.clone());
        }
        let runner = builder.build().unwrap();
        let story = Story::new();
        runner.task("server", story.worker("server", Duration::ZERO)).unwrap();
        let trigger = parents[which].0.clone();
        after(&runner, SECOND, async move |_| trigger.fire());
        assert!(runner.run().await.is_ok());
        assert_eq!(story.lines(), ["0 server starts", "2 server is told", "2 server is done", "2 server is gone"]);
    }
    let (trigger, parent) = Shutdown::new();
    trigger.fire();
    assert!(builder().parent(parent).build().unwrap().run().await.is_ok());
}

/// RN-07: whatever the tasks and hooks do, it returns within the drain delay, the grace period and the limits of the
/// cleanups, to the millisecond of the timers.
#[tokio::test(start_paused = true)]
async fn bounded() {
    for (drain, grace) in [(0, 0), (0, 10), (5, 0), (5, 10)] {
        let (drain, grace) = (drain * SECOND, grace * SECOND);
        let runner = builder().drain_delay(drain).grace_period(grace).hook_timeout(3 * SECOND).build().unwrap();
        for name in ["a", "b"] {
            runner.task(name, |_| std::future::pending::<Result>()).unwrap();
            runner.on_stop(name, std::future::pending::<Result>).unwrap();
            runner.cleanup(name, std::future::pending::<Result>).unwrap();
        }
        runner.handle().on_stop_within("long", Duration::MAX, std::future::pending::<Result>).unwrap();
        runner.handle().cleanup_within("short", 2 * SECOND, std::future::pending::<Result>).unwrap();
        stop_after(&runner, SECOND);
        let begin = now();
        let lines = wrong(runner.run().await);
        assert_eq!((now() - begin).as_secs(), (SECOND + drain + grace + 8 * SECOND).as_secs(), "{lines:?}");
        let had = |had: u64| if had == 0 { "had no time left".into() } else { format!("timed out after {had}s") };
        assert_eq!(
            lines,
            [
                // The one that waits for ever gets all of the grace period, and leaves none.
                format!("stop hook `long` {}", had(grace.as_secs())),
                "stop hook `b` had no time left".into(),
                "stop hook `a` had no time left".into(),
                "task `a` was aborted".into(),
                "task `b` was aborted".into(),
                "cleanup `short` timed out after 2s".into(),
                "cleanup `b` timed out after 3s".into(),
                "cleanup `a` timed out after 3s".into(),
            ]
        );
    }
}

/// RN-07: the longest possible times do not panic and do not end.
#[tokio::test(start_paused = true)]
async fn for_ever() {
    let forever = Duration::MAX;
    let runner = builder().drain_delay(forever).grace_period(forever).hook_timeout(forever).build().unwrap();
    runner.task("task", |_| std::future::pending::<Result>()).unwrap();
    runner.handle().stop();
    let year = 365 * 24 * 3600 * SECOND;
    assert!(tokio::time::timeout(400 * year, runner.run()).await.is_err());

    let runner = builder().grace_period(forever).hook_timeout(forever).build().unwrap();
    let story = Story::new();
    runner.task("task", story.worker("task", year)).unwrap();
    runner.on_stop("stop", story.hook("stop", year)).unwrap();
    runner.cleanup("cleanup", story.hook("cleanup", year)).unwrap();
    runner.handle().stop();
    assert!(runner.run().await.is_ok());
}

/// A service that has not served has nothing to drain.
#[tokio::test(start_paused = true)]
async fn no_drain_before_it_served() {
    let runner = builder().drain_delay(100 * SECOND).build().unwrap();
    runner.handle().stop();
    let begin = now();
    assert!(runner.run().await.is_ok());
    assert_eq!(now(), begin);
}

/// The phase is kept in the given health, and no runner ever moves it back.
#[tokio::test(start_paused = true)]
async fn health_of_its_own() {
    let health = Health::new();
    let runner = builder().health(health.clone()).build().unwrap();
    health.advance(Phase::Draining);
    stop_after(&runner, SECOND);
    assert!(runner.run().await.is_ok());
    assert_eq!(health.phase(), Phase::Stopped);
}
