//! Periodic tasks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::runner::Periodic;
use seaworthy::{BoxError, Shutdown};

use super::{Result, Story, after, builder, nap, runner, stop_after, wrong};
use crate::support::{MS, SECOND, now};

/// Each run takes as long as the next of `takes`, and no time when there are no more.
fn taking(story: &Story, takes: &'static [u64]) -> impl FnMut(Shutdown) -> super::Told<Result> + Send + use<> {
    let story = story.clone();
    let mut run = 0;
    move |_| {
        let (story, takes) = (story.clone(), takes.get(run).copied().unwrap_or_default());
        run += 1;
        Box::pin(async move {
            story.tell("begins");
            nap(Duration::from_secs(takes)).await;
            story.tell("ends");
            Ok(())
        })
    }
}

fn begins(story: &Story) -> Vec<u64> {
    let lines = story.lines();
    let begins = lines.iter().filter(|line| line.ends_with("begins"));
    begins.map(|line| line.split_once(' ').unwrap().0.parse().unwrap()).collect()
}

/// RN-11: at once, and then on a grid that a late run does not move; runs do not overlap, and missed ones are skipped.
#[tokio::test(start_paused = true)]
async fn on_a_grid() {
    let (story, runner) = (Story::new(), runner());
    runner.every("sweep", 10 * SECOND, taking(&story, &[3, 10, 25, 0])).unwrap();
    stop_after(&runner, 85 * SECOND);
    assert!(runner.run().await.is_ok());
    // The run at 10 ends at 20, when the next is due; that one ends at 45, and so misses those of 30 and 40.
    assert_eq!(begins(&story), [0, 10, 20, 50, 60, 70, 80]);
}

/// RN-11: the first run can be delayed, for ever if need be; a period with no limit means one run.
#[tokio::test(start_paused = true)]
async fn first_run() {
    for (every, expected) in [
        (Periodic::new(10 * SECOND).first_after(4 * SECOND), vec![4, 14, 24]),
        (Periodic::new(10 * SECOND).first_after(Duration::MAX), vec![]),
        (Periodic::new(Duration::MAX), vec![0]),
        (Periodic::from(10 * SECOND), vec![0, 10, 20]),
    ] {
        let (story, runner) = (Story::new(), runner());
        runner.every("sweep", every, taking(&story, &[])).unwrap();
        stop_after(&runner, 25 * SECOND);
        assert!(runner.run().await.is_ok());
        assert_eq!(begins(&story), expected, "{every:?}");
    }
}

/// RN-11: each run begins up to the jitter later than it is due, the first one too, and the grid stays.
#[tokio::test(start_paused = true)]
async fn jitter() {
    let runner = builder().random_seed(5).build().unwrap();
    let starts = Arc::new(Mutex::new(Vec::new()));
    let (telling, begin) = (Arc::clone(&starts), now());
    let every = Periodic::new(10 * SECOND).jitter(4 * SECOND);
    runner
        .every("sweep", every, move |_| {
            telling.lock().unwrap().push(now() - begin);
            async { Result::Ok(()) }
        })
        .unwrap();
    stop_after(&runner, 999 * SECOND);
    assert!(runner.run().await.is_ok());
    let starts = starts.lock().unwrap();
    assert_eq!(starts.len(), 100);
    let late: Vec<_> = starts.iter().zip(0..).map(|(at, run)| *at - run * 10 * SECOND).collect();
    assert!(late.iter().all(|late| *late <= 4 * SECOND + MS));
    assert!(late.iter().min().unwrap() < &SECOND && late.iter().max().unwrap() > &(3 * SECOND));
}

/// RN-11: an error or a panic is counted and survived, and is no failure of the run.
#[tokio::test(start_paused = true)]
async fn survives() {
    let (story, runner) = (Story::new(), runner());
    let mut run = 0;
    let work = move |_| {
        run += 1;
        assert!(run % 3 != 0, "before there is a future");
        async move {
            match run % 3 {
                1 => Err(BoxError::from("no")),
                _ => panic!("in the future"),
            }
        }
    };
    runner.every("sweep", SECOND, work).unwrap();
    let telling = story.clone();
    after(&runner, 8 * SECOND + 500 * MS, async move |handle| {
        let task = &handle.tasks()[0];
        telling.tell(format!("{} {} {}", task.runs, task.failures, task.panics));
        handle.stop();
    });
    assert!(runner.run().await.is_ok());
    assert_eq!(story.lines(), ["8 9 9 6"]);
}

/// RN-11: at the shutdown a run in progress is joined, and no other begins; one that never ends is aborted.
#[tokio::test(start_paused = true)]
async fn joined() {
    let (story, runner) = (Story::new(), runner());
    runner.every("sweep", 10 * SECOND, taking(&story, &[0, 15])).unwrap();
    stop_after(&runner, 12 * SECOND);
    assert!(runner.run().await.is_ok());
    story.tell("returns");
    assert_eq!(story.lines(), ["0 begins", "0 ends", "10 begins", "25 ends", "25 returns"]);

    let runner = super::runner();
    runner.every("sweep", SECOND, |_| std::future::pending::<Result>()).unwrap();
    stop_after(&runner, SECOND);
    assert_eq!(wrong(runner.run().await), ["task `sweep` was aborted"]);
}

/// RN-11: it gets the token, so that a long run can stop early.
#[tokio::test(start_paused = true)]
async fn is_told() {
    let runner = runner();
    let work = |shutdown: Shutdown| async move {
        shutdown.requested().await;
        Result::Ok(())
    };
    runner.every("sweep", SECOND, work).unwrap();
    stop_after(&runner, 5 * SECOND);
    let begin = now();
    assert!(runner.run().await.is_ok());
    assert_eq!((now() - begin).as_secs(), 5);
}
