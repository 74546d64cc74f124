//! The first signal, the second and the third.

#[cfg(unix)]
mod real;

use std::time::Duration;

use seaworthy::{BoxError, Shutdown};

use super::{Result, Story, after, builder, nap, wrong};
use crate::support::{SECOND, now};

/// RN-02, RN-05: a service that ends by a signal, in order, returns no error.
#[tokio::test(start_paused = true)]
async fn first() {
    let story = Story::new();
    let runner = builder().drain_delay(SECOND).build().unwrap();
    runner.task("a", story.worker("a", SECOND)).unwrap();
    after(&runner, SECOND, async |handle| handle.interrupt());
    assert!(runner.run().await.is_ok());
    assert_eq!(story.lines(), ["0 a starts", "2 a is told", "3 a is done", "3 a is gone"]);
}

/// RN-08: a second signal skips the rest of the drain delay and the grace period; a cleanup still has its limit. A
/// third skips that, too.
#[tokio::test(start_paused = true)]
async fn second_and_third() {
    // When the second and the third come, and when the run is over: it begins to end at 1, drains until 6, has grace
    // until 16, and cleans up for 3 and 3 seconds.
    for (second, third, expected) in [
        (Some(2), None, 8),
        (Some(2), Some(3), 3),
        (Some(2), Some(6), 6),
        (Some(8), None, 14),
        (Some(8), Some(9), 9),
        (Some(18), None, 22),
        (Some(18), Some(20), 20),
        (None, None, 22),
    ] {
        let story = Story::new();
        let runner =
            builder().drain_delay(5 * SECOND).grace_period(10 * SECOND).hook_timeout(3 * SECOND).build().unwrap();
        runner.task("a", story.worker("a", Duration::MAX)).unwrap();
        runner.on_stop("stop", story.hook("stop", Duration::MAX)).unwrap();
        for name in ["cleanup 1", "cleanup 2"] {
            runner.cleanup(name, story.hook(name, Duration::MAX)).unwrap();
        }
        let begin = now();
        for at in [Some(1), second, third].into_iter().flatten() {
            after(&runner, at * SECOND, async |handle| handle.interrupt());
        }
        let lines = wrong(runner.run().await);
        let case = format!("{second:?} {third:?}: {lines:?}");
        assert_eq!((now() - begin).as_secs(), expected, "{case}");
        assert_eq!(
            lines.iter().filter(|line| *line == "a second signal cut the shutdown short").count(),
            second.iter().count()
        );
        assert!(lines.contains(&"task `a` was aborted".to_owned()), "{case}");
        // Everything had its turn, however little time there was.
        let story = story.lines();
        for hook in ["stop", "cleanup 1", "cleanup 2"] {
            let began = story.iter().filter(|line| line.ends_with(&format!("{hook} begins"))).count();
            assert_eq!(began, 1, "{case}, {story:?}");
        }
    }
}

/// RN-08: the result of a forced end is not Ok, even if it cut off nothing.
#[tokio::test(start_paused = true)]
async fn forced_is_not_fine() {
    let runner = builder().drain_delay(10 * SECOND).build().unwrap();
    for at in 1..3 {
        after(&runner, at * SECOND, async |handle| handle.interrupt());
    }
    assert_eq!(wrong(runner.run().await), ["a second signal cut the shutdown short"]);
}

/// RN-08: the second signal aborts, whatever began the shutdown; `stop` never does, however often it is called.
#[tokio::test(start_paused = true)]
async fn what_counts() {
    let story = Story::new();
    let runner = builder().build().unwrap();
    runner.task("a", story.worker("a", 5 * SECOND)).unwrap();
    for at in 1..4 {
        after(&runner, at * SECOND, async |handle| handle.stop());
    }
    after(&runner, 4 * SECOND, async |handle| handle.interrupt());
    assert!(runner.run().await.is_ok());
    assert_eq!(story.lines(), ["0 a starts", "1 a is told", "6 a is done", "6 a is gone"]);
}

/// RN-08: it cuts off hooks as it does tasks: the hook is dropped at once.
#[tokio::test(start_paused = true)]
async fn cuts_hooks() {
    let runner = builder().build().unwrap();
    runner
        .on_stop("stop", || async {
            nap(SECOND).await;
            std::future::pending::<Result>().await
        })
        .unwrap();
    for at in 1..3 {
        after(&runner, at * SECOND, async |handle| handle.interrupt());
    }
    let begin = now();
    assert_eq!(wrong(runner.run().await), ["a second signal cut the shutdown short", "stop hook `stop` was aborted"]);
    assert_eq!((now() - begin).as_secs(), 2);
}

/// HC-05: signals within 100 ms count as one, however many there are, and so do those that arrive together; one after
/// that is the second. A manager forwards what the terminal has sent already.
#[tokio::test(start_paused = true)]
async fn within_100_ms() {
    let together = &[1_000, 1_000, 1_000][..];
    for (signals, forced) in [
        (together, false),
        (&[1_000, 1_003], false),
        (&[1_000, 1_100], false),
        (&[1_000, 1_050, 1_099], false),
        (&[1_000, 1_101], true),
        // The time counts from the one that was heard, not from those that were ignored.
        (&[1_000, 1_060, 1_120], true),
        (&[1_000, 3_000, 3_050], true),
    ] {
        let runner = builder().grace_period(10 * SECOND).build().unwrap();
        let story = Story::new();
        runner.task("a", story.worker("a", 5 * SECOND)).unwrap();
        for ms in signals {
            after(&runner, Duration::from_millis(*ms), async |handle| handle.interrupt());
        }
        let lines = wrong(runner.run().await);
        assert_eq!(lines.iter().any(|line| line == "a second signal cut the shutdown short"), forced, "{signals:?}");
        assert_eq!(story.lines().iter().any(|line| line == "6 a is done"), !forced, "{signals:?}");
    }
}

/// HC-05: this applies to the third signal, too: what cuts off the grace period does not cut off the cleanups.
#[tokio::test(start_paused = true)]
async fn the_second_twice() {
    let story = Story::new();
    let runner = builder().build().unwrap();
    runner.task("a", story.worker("a", Duration::MAX)).unwrap();
    runner.cleanup("pool", story.hook("pool", SECOND)).unwrap();
    for ms in [1_000, 2_000, 2_003] {
        after(&runner, Duration::from_millis(ms), async |handle| handle.interrupt());
    }
    assert_eq!(wrong(runner.run().await), ["a second signal cut the shutdown short", "task `a` was aborted"]);
    assert!(story.lines().contains(&"3 pool ends".to_owned()));
}

/// HC-04: an unset drain delay is zero after an interrupt, a `stop`, a parent and a task that fails; a set one applies
/// to all. (After SIGTERM: see the tests with a process.)
#[tokio::test(start_paused = true)]
async fn drain_delay() {
    for set in [None, Some(7 * SECOND)] {
        for how in ["interrupt", "stop", "parent", "task"] {
            let story = Story::new();
            let (parent, told) = Shutdown::new();
            let mut builder = builder().parent(told);
            if let Some(delay) = set {
                builder = builder.drain_delay(delay);
            }
            let runner = builder.build().unwrap();
            runner.task("a", story.worker("a", Duration::ZERO)).unwrap();
            after(&runner, SECOND, async move |handle| match how {
                "interrupt" => handle.interrupt(),
                "stop" => handle.stop(),
                "parent" => parent.fire(),
                _ => handle.task("fails", async |_| Err::<(), BoxError>("no".into())).unwrap(),
            });
            assert_eq!(runner.run().await.is_err(), how == "task");
            let expected = format!("{} a is told", if set.is_some() { 8 } else { 1 });
            assert!(story.lines().contains(&expected), "{how} {set:?}");
        }
    }
}
