//! Hooks that fail, panic and hang, in every place.

use std::time::Duration;

use seaworthy::BoxError;

use super::{Result, Story, after, builder, nap, runner, wrong};
use crate::support::{SECOND, now};

#[derive(Clone, Copy, Debug)]
enum Way {
    Fine,
    Fails,
    Panics,
    PanicsFirst,
    Hangs,
    PanicsWhenDropped,
}

const WAYS: [Way; 6] = [Way::Fine, Way::Fails, Way::Panics, Way::PanicsFirst, Way::Hangs, Way::PanicsWhenDropped];

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

impl Way {
    fn go(self, story: Story, name: String) -> impl FnOnce() -> super::Told<Result> + Send {
        move || {
            story.tell(&name);
            if let Way::PanicsFirst = self {
                panic!("first");
            }
            Box::pin(async move {
                nap(SECOND).await;
                match self {
                    Way::Fine => Ok(()),
                    Way::Fails => Err(BoxError::from("no")),
                    Way::Panics | Way::PanicsFirst => panic!("later"),
                    Way::Hangs => std::future::pending().await,
                    Way::PanicsWhenDropped => {
                        let _bomb = Bomb;
                        std::future::pending().await
                    }
                }
            })
        }
    }

    fn words(self) -> Option<&'static str> {
        match self {
            Way::Fine => None,
            Way::Fails => Some("failed: no"),
            Way::Panics => Some("panicked: later"),
            Way::PanicsFirst => Some("panicked: first"),
            Way::Hangs => Some("timed out after 5s"),
            Way::PanicsWhenDropped => Some("panicked: dropped"),
        }
    }
}

/// RN-04, RN-05: all hooks run, last first, whatever the others do, and failures are listed in that order.
#[tokio::test(start_paused = true)]
async fn all_are_run() {
    for first in WAYS {
        for second in WAYS {
            for third in WAYS {
                let (story, runner) = (Story::new(), runner());
                let ways = [first, second, third];
                for (index, way) in ways.into_iter().enumerate() {
                    runner.on_stop(format!("{index}"), way.go(story.clone(), format!("stop {index}"))).unwrap();
                    runner.cleanup(format!("{index}"), way.go(story.clone(), format!("cleanup {index}"))).unwrap();
                }
                runner.handle().stop();
                let lines = wrong(runner.run().await);
                let mut expected = Vec::new();
                for part in ["stop hook", "cleanup"] {
                    for (index, way) in ways.iter().enumerate().rev() {
                        expected.extend(way.words().map(|words| format!("{part} `{index}` {words}")));
                    }
                }
                assert_eq!(lines, expected, "{ways:?}");
                let run: Vec<_> = story.lines().iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect();
                assert_eq!(run, ["stop 2", "stop 1", "stop 0", "cleanup 2", "cleanup 1", "cleanup 0"], "{ways:?}");
            }
        }
    }
}

/// RN-03: tasks are awaited while hooks run, not after them, and a hook has no more than the rest of the grace period.
#[tokio::test(start_paused = true)]
async fn share_the_grace() {
    let story = Story::new();
    let runner = builder().grace_period(10 * SECOND).build().unwrap();
    runner.task("a", story.worker("a", 4 * SECOND)).unwrap();
    for name in ["1", "2", "3"] {
        runner.on_stop(name, std::future::pending::<Result>).unwrap();
    }
    runner.handle().stop();
    let begin = now();
    let lines = wrong(runner.run().await);
    assert_eq!((now() - begin).as_secs(), 10);
    assert_eq!(
        lines,
        ["stop hook `3` timed out after 5s", "stop hook `2` timed out after 5s", "stop hook `1` had no time left"]
    );
    assert_eq!(story.lines(), ["0 a starts", "0 a is told", "4 a is done", "4 a is gone"]);
}

/// A hook that is ready at once needs no time: with a grace period of zero it still runs.
#[tokio::test(start_paused = true)]
async fn no_grace() {
    let story = Story::new();
    let runner = builder().grace_period(Duration::ZERO).build().unwrap();
    runner.task("a", story.worker("a", Duration::MAX)).unwrap();
    runner.on_stop("stop", story.hook("stop", Duration::ZERO)).unwrap();
    runner.cleanup("cleanup", story.hook("cleanup", SECOND)).unwrap();
    after(&runner, SECOND, async |handle| handle.stop());
    assert_eq!(wrong(runner.run().await), ["task `a` was aborted"]);
    let lines = story.lines();
    assert_eq!(lines[0], "0 a starts");
    assert_eq!(lines[1..3], ["1 stop begins", "1 stop ends"]);
    assert_eq!(lines[lines.len() - 3..], ["1 a is gone", "1 cleanup begins", "2 cleanup ends"]);
}
