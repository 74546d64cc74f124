//! The first signal, the second and the third.

#[cfg(unix)]
mod real;

use std::time::Duration;

use super::{Result, Story, after, builder, nap, wrong};
use crate::support::{SECOND, now};

/// RN-02, RN-05: a service that ends by a signal, in order, is fine.
#[tokio::test(start_paused = true)]
async fn first() {
    let story = Story::new();
    let runner = builder().drain_delay(SECOND).build().unwrap();
    runner.task("a", story.worker("a", SECOND)).unwrap();
    after(&runner, SECOND, async |handle| handle.interrupt());
    assert!(runner.run().await.is_ok());
    assert_eq!(story.lines(), ["0 a starts", "2 a is told", "3 a is done", "3 a is gone"]);
}

/// RN-08: a second signal skips what is left of the drain delay and the grace; a cleanup has its limit all the same. A third
/// skips that, too.
#[tokio::test(start_paused = true)]
async fn second_and_third() {
    // When the second and the third come, and when the run is over: it begins to end at 1, drains until 6, has
    // grace until 16, and cleans up for 3 and 3 seconds.
    for (second, third, expected) in [
        (Some(2), None, 8),
        (Some(2), Some(3), 3),
        (Some(2), Some(6), 6),
        (Some(8), None, 14),
        (Some(8), Some(9), 9),
        (Some(18), None, 22),
        (Some(18), Some(20), 20),
        (Some(1), Some(1), 1),
        (None, None, 22),
    ] {
        let story = Story::new();
        let runner = builder().drain_delay(5 * SECOND).grace(10 * SECOND).hook_limit(3 * SECOND).build().unwrap();
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
        // Everybody had a turn, however little time there was.
        let story = story.lines();
        for hook in ["stop", "cleanup 1", "cleanup 2"] {
            let began = story.iter().filter(|line| line.ends_with(&format!("{hook} begins"))).count();
            assert_eq!(began, 1, "{case}, {story:?}");
        }
    }
}

/// RN-08: the result of a forced end is not Ok, even if nothing was cut off by it.
#[tokio::test(start_paused = true)]
async fn forced_is_not_fine() {
    let runner = builder().drain_delay(10 * SECOND).build().unwrap();
    for at in 1..3 {
        after(&runner, at * SECOND, async |handle| handle.interrupt());
    }
    assert_eq!(wrong(runner.run().await), ["a second signal cut the shutdown short"]);
}

/// RN-08: it is the second signal that aborts, whatever began the shutdown; `stop` is none, however often.
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
