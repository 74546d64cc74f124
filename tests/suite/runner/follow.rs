//! Loops that follow a stream.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::observe::RunnerEvent;
use seaworthy::runner::{CursorGone, EventStream, Follow, OnPoison, Streamed, Task};
use seaworthy::{Backoff, BoxError, Event, Jitter};

use super::{Story, after, builder, nap, runner, stop_after, wrong};
use crate::support::{MS, SECOND};

/// What a connection does, step by step; after the last it hangs.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Event(u32),
    Bookmark(u32),
    KeepAlive,
    Nap(u64),
    End,
    Breaks,
    Gone,
    Panics,
    /// There is no connection, because of what follows.
    No,
    /// Connecting takes for ever.
    Never,
}
use Step::*;

struct Scripted {
    story: Story,
    steps: VecDeque<Step>,
    is_over: bool,
}

impl EventStream for Scripted {
    type Event = u32;
    type Cursor = u32;
    type Error = BoxError;

    async fn next(&mut self) -> Result<Option<Streamed<u32, u32>>, BoxError> {
        assert!(!self.is_over, "asked again after its end");
        loop {
            let Some(step) = self.steps.pop_front() else {
                std::future::pending::<()>().await;
                continue;
            };
            match step {
                Nap(seconds) => nap(Duration::from_secs(seconds)).await,
                Event(number) => return Ok(Some(Streamed::Event(number, number))),
                Bookmark(number) => return Ok(Some(Streamed::Cursor(number))),
                KeepAlive => return Ok(Some(Streamed::KeepAlive)),
                Panics => panic!("inside"),
                End | Breaks | Gone | No | Never => {
                    self.is_over = true;
                    return match step {
                        End => Ok(None),
                        Gone => Err(BoxError::from(std::io::Error::other(CursorGone))),
                        _ => Err("reset".into()),
                    };
                }
            }
        }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.story.tell("drops");
    }
}

/// Connects to these, one after the other, and to what hangs after the last. Applies each event in no time, but fails
/// at those of `poison`.
fn scripted(story: &Story, connections: &[&[Step]], poison: &'static [u32]) -> Follow<Scripted> {
    let mut connections: VecDeque<Vec<Step>> = connections.iter().map(|steps| steps.to_vec()).collect();
    let (connecting, applying) = (story.clone(), story.clone());
    let connect = move |cursor: Option<u32>| {
        connecting.tell(format!("connects at {cursor:?}"));
        let steps: VecDeque<Step> = connections.pop_front().unwrap_or_default().into();
        let story = connecting.clone();
        async move {
            match (steps.front(), steps.get(1)) {
                (Some(Never), _) => std::future::pending().await,
                (Some(No), Some(Gone)) => Err(BoxError::from(CursorGone)),
                (Some(No), Some(Panics)) => panic!("outside"),
                (Some(No), _) => Err("refused".into()),
                _ => Ok(Scripted { story, steps, is_over: false }),
            }
        }
    };
    let apply = move |event: u32, cursor: u32| {
        assert_eq!(event, cursor);
        applying.tell(format!("applies {event}"));
        async move { if poison.contains(&event) { Err(BoxError::from("bad")) } else { Ok(()) } }
    };
    Follow::new(connect, apply).wait_between(2 * SECOND, 2 * SECOND)
}

/// Follows it for so long, and returns what happened.
async fn followed(story: &Story, follow: Follow<Scripted>, seconds: u64) -> (Vec<String>, Vec<String>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = Arc::clone(&told);
    let observer = move |event: &Event<'_>| {
        let text = match event {
            Event::Runner(RunnerEvent::TaskFailed { error, panicked, again_in, .. }) => {
                let kind = if *panicked { "panicked" } else { "failed" };
                format!("{kind}: {error}, again in {again_in:?}")
            }
            Event::Runner(RunnerEvent::StreamEnded { name, again_in, .. }) => {
                format!("{name} ended, again in {again_in:?}")
            }
            Event::Runner(RunnerEvent::EventSkipped { error, .. }) => format!("skipped: {error}"),
            other => panic!("no runner tells {other:?}"),
        };
        telling.lock().unwrap().push(text);
    };
    let runner = builder().observer(observer).build().unwrap();
    runner.follow("feed", follow).unwrap();
    let telling = story.clone();
    after(&runner, Duration::from_secs(seconds), async move |handle| {
        if let Some(task) = handle.tasks().first() {
            telling.tell(format!("{} runs, {} failures, {} panics", task.runs, task.failures, task.panics));
        }
        handle.stop();
    });
    match runner.run().await {
        Ok(()) => story.tell("returns"),
        Err(error) => story.tell(error.first().to_string()),
    }
    (story.lines(), std::mem::take(&mut *told.lock().unwrap()))
}

/// WF-01, WF-03, WF-04: it applies one after the other, and connects again at the last cursor that was applied; the end
/// of a stream and an error are told apart, in events and in the count.
#[tokio::test(start_paused = true)]
async fn goes_on_at_the_cursor() {
    let story = Story::new();
    let connections: [&[Step]; 4] = [&[Event(1), Event(2), End], &[Event(3), Breaks], &[No], &[Bookmark(9), End]];
    let (lines, told) = followed(&story, scripted(&story, &connections, &[]), 10).await;
    assert_eq!(
        lines,
        [
            "0 connects at None",
            "0 applies 1",
            "0 applies 2",
            "0 drops",
            "2 connects at Some(2)",
            "2 applies 3",
            "2 drops",
            "4 connects at Some(3)",
            "6 connects at Some(3)",
            "6 drops",
            "8 connects at Some(9)",
            "10 5 runs, 2 failures, 0 panics",
            "10 drops",
            "10 returns"
        ]
    );
    assert_eq!(
        told,
        [
            "feed ended, again in 2s",
            "failed: the stream broke, again in Some(2s)",
            "failed: no connection, again in Some(2s)",
            "feed ended, again in 2s",
        ]
    );
}

/// WF-02: it waits between 1 and 5 s by default, also before the first connection if it is spread, and connects no more
/// than 60 times a minute, whatever is set.
#[tokio::test(start_paused = true)]
async fn waits() {
    let ends: Vec<&[Step]> = vec![&[End]; 1_000];
    let connects = async |seconds: u64, set: fn(Follow<Scripted>) -> Follow<Scripted>| {
        let story = Story::new();
        let (lines, _) = followed(&story, set(scripted(&story, &ends, &[])), seconds).await;
        let times = lines.iter().filter(|line| line.contains("connects"));
        times.map(|line| line.split_once(' ').unwrap().0.parse::<u64>().unwrap()).collect::<Vec<u64>>()
    };
    let by_default = connects(3_000, |follow| follow.wait_between(SECOND, 5 * SECOND)).await;
    assert!((900..=1_001).contains(&by_default.len()), "{}", by_default.len());
    assert_eq!(by_default[0], 0);
    assert!(by_default.windows(2).all(|pair| (1..=5).contains(&(pair[1] - pair[0]))));
    let spread = connects(60, |follow| follow.wait_between(5 * SECOND, 9 * SECOND).spread()).await;
    assert!((5..=9).contains(&spread[0]), "{spread:?}");
    for none in [
        |follow: Follow<Scripted>| follow.wait_between(Duration::ZERO, Duration::ZERO),
        |follow: Follow<Scripted>| follow.backoff(Backoff::constant(Duration::ZERO)),
    ] {
        let times = connects(60, none).await;
        assert!((59..=61).contains(&times.len()), "{}", times.len());
    }
    let backoff =
        |follow: Follow<Scripted>| follow.backoff(Backoff::exponential(SECOND, 16 * SECOND).jitter(Jitter::None));
    assert_eq!(connects(50, backoff).await, [0, 1, 3, 7, 15, 31, 47]);
}

/// WF-02: a backoff starts over after a connection that moved the cursor, and after one that lived for 30 s.
#[tokio::test(start_paused = true)]
async fn starts_over() {
    let story = Story::new();
    let connections: [&[Step]; 6] = [&[No], &[No], &[Event(1), End], &[No], &[Nap(30), End], &[]];
    let backoff = Backoff::exponential(SECOND, 16 * SECOND).jitter(Jitter::None);
    let (_, told) = followed(&story, scripted(&story, &connections, &[]).backoff(backoff), 50).await;
    let waits: Vec<&str> = told.iter().map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(waits, ["Some(1s)", "Some(2s)", "1s", "Some(2s)", "1s"]);
}

/// WF-03, WF-08: an event that `apply` refuses, whatever its kind, is not passed over. It comes again, five times; then the task fails and names the cursor.
#[tokio::test(start_paused = true)]
async fn poison_fails() {
    let story = Story::new();
    let connections: Vec<&[Step]> = vec![&[Event(1), Event(7)], &[Event(7)], &[Event(7)], &[Event(7)], &[Event(7)]];
    let (lines, told) = followed(&story, scripted(&story, &connections, &[7]), 100).await;
    assert_eq!(lines.iter().filter(|line| line.ends_with("applies 7")).count(), 5);
    assert!(lines.iter().filter(|line| line.contains("connects")).skip(1).all(|line| line.ends_with("Some(1)")));
    let last = lines.last().unwrap();
    assert_eq!(last, "8 task `feed` failed: the event at 7 could not be applied, attempt 5 of 5: bad");
    assert_eq!(told.len(), 5);
    assert_eq!(told[0], "failed: the event at 7 could not be applied, attempt 1 of 5, again in Some(2s)");
}

/// WF-03: or it is skipped, which is told, and what comes after it on the same connection is applied. The count is that
/// event's alone.
#[tokio::test(start_paused = true)]
async fn poison_is_skipped() {
    let story = Story::new();
    let connections: Vec<&[Step]> = vec![&[Event(1), Event(7)], &[Event(7), Event(8), Event(9)], &[Event(9), Event(2)]];
    let follow = scripted(&story, &connections, &[7, 9]).apply_attempts(2).on_poison(OnPoison::Skip);
    let (lines, told) = followed(&story, follow, 20).await;
    let applied: Vec<&str> = lines.iter().filter_map(|line| line.split_once(" applies ")).map(|(_, it)| it).collect();
    assert_eq!(applied, ["1", "7", "7", "8", "9", "9", "2"]);
    let skipped: Vec<&String> = told.iter().filter(|line| line.starts_with("skipped")).collect();
    assert_eq!(
        skipped,
        [
            "skipped: the event at 7 could not be applied, attempt 2 of 2",
            "skipped: the event at 9 could not be applied, attempt 2 of 2"
        ]
    );
}

/// WF-03: a bookmark before it does not make a poison event new.
#[tokio::test(start_paused = true)]
async fn poison_behind_bookmarks() {
    let story = Story::new();
    let connections: Vec<&[Step]> = vec![&[Bookmark(5), Event(7)]; 9];
    let (lines, _) = followed(&story, scripted(&story, &connections, &[7]).apply_attempts(3), 100).await;
    assert_eq!(lines.iter().filter(|line| line.ends_with("applies 7")).count(), 3);
}

/// WF-01: panics of each part are failures of the connection, and the loop goes on at the same cursor.
#[tokio::test(start_paused = true)]
async fn panics() {
    let story = Story::new();
    let connections: [&[Step]; 3] = [&[Event(1), Panics], &[No, Panics], &[Event(2), End]];
    let (lines, told) = followed(&story, scripted(&story, &connections, &[]), 7).await;
    assert_eq!(told[..2], ["panicked: inside, again in Some(2s)", "panicked: outside, again in Some(2s)"]);
    assert!(lines.contains(&"7 4 runs, 2 failures, 2 panics".to_owned()), "{lines:?}");
    assert!(lines.contains(&"4 connects at Some(1)".to_owned()) && lines.contains(&"6 connects at Some(2)".to_owned()));
}

/// WF-05: the shutdown ends it at once in a wait, in `connect` and while nothing comes; nothing is connected after it,
/// and nothing is told because of it.
#[tokio::test(start_paused = true)]
async fn stops() {
    let cases: [(&[&[Step]], u64); 4] = [(&[&[End]], 1), (&[&[Never]], 1), (&[&[]], 1), (&[&[Nap(5), Breaks]], 3)];
    for (connections, seconds) in cases {
        let story = Story::new();
        let (lines, told) = followed(&story, scripted(&story, connections, &[]), seconds).await;
        assert_eq!(lines.last().unwrap(), &format!("{seconds} returns"), "{connections:?}");
        assert_eq!(lines.iter().filter(|line| line.contains("connects")).count(), 1, "{connections:?}");
        assert!(told.iter().all(|line| line.starts_with("feed ended")), "{told:?}");
    }
}

/// WF-05: an event that is being applied is awaited, and an error of it then is nothing to report.
#[tokio::test(start_paused = true)]
async fn awaits_apply() {
    for fails in [false, true] {
        let (story, runner) = (Story::new(), runner());
        let telling = story.clone();
        let connecting = story.clone();
        let connect = move |_cursor: Option<u32>| {
            let steps = [Event(1), Event(2)].into();
            let story = connecting.clone();
            async move { Ok::<_, BoxError>(Scripted { story, steps, is_over: false }) }
        };
        let apply = move |event: u32, _cursor| {
            let story = telling.clone();
            async move {
                nap(5 * SECOND).await;
                story.tell(format!("applied {event}"));
                if fails { Err(BoxError::from("because of the shutdown")) } else { Ok(()) }
            }
        };
        runner.follow("feed", Follow::new(connect, apply)).unwrap();
        stop_after(&runner, SECOND);
        assert!(runner.run().await.is_ok());
        assert_eq!(story.lines(), ["5 applied 1", "5 drops"]);
    }
}

fn with_pass(story: &Story, follow: Follow<Scripted>, every: u64, results: &'static [Option<u32>]) -> Follow<Scripted> {
    let story = story.clone();
    let mut results = results.iter();
    follow.resync(Duration::from_secs(every), move || {
        let (story, result) = (story.clone(), results.next());
        async move {
            story.tell("pass begins");
            nap(3 * SECOND).await;
            story.tell("pass ends");
            result.copied().ok_or_else(|| BoxError::from("no answer"))
        }
    })
}

/// WF-06: a full pass now and then, not at the same time as `apply`; what comes meanwhile is applied after it, and a
/// failed one is told.
#[tokio::test(start_paused = true)]
async fn passes() {
    let story = Story::new();
    let steps: Vec<Step> = (1..=225).flat_map(|number| [Nap(1), Event(number)]).collect();
    let follow = with_pass(&story, scripted(&story, &[&steps], &[]), 100, &[Some(50)]);
    let (lines, told) = followed(&story, follow, 230).await;
    let begins: Vec<u64> = lines
        .iter()
        .filter(|line| line.ends_with("pass begins"))
        .map(|line| line.split_once(' ').unwrap().0.parse().unwrap())
        .collect();
    assert_eq!(begins.len(), 2, "{lines:?}");
    assert!((100..=110).contains(&begins[0]) && (200..=211).contains(&begins[1]), "{begins:?}");
    for (at, line) in lines.iter().enumerate() {
        let is_in_pass = at > 0 && lines[at - 1].ends_with("pass begins");
        assert!(!is_in_pass || line.ends_with("pass ends"), "{lines:?}");
    }
    let applied: Vec<u32> = lines
        .iter()
        .filter_map(|line| line.split_once(" applies "))
        .map(|(_, number)| number.parse().unwrap())
        .collect();
    assert!(applied.len() > 200 && applied.is_sorted(), "{applied:?}");
    assert!(applied.windows(2).all(|pair| pair[1] == pair[0] + 1), "none was passed over: {applied:?}");
    assert_eq!(lines.iter().filter(|line| line.contains("connects")).count(), 1, "a pass that is due keeps the stream");
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("failed: a full pass failed, again in Some("), "{told:?}");
}

/// WF-06: a cursor that is refused, in `connect` or in the stream, begins a pass before the next connection, which is at
/// the cursor that the pass returned. A pass that fails is made again.
#[tokio::test(start_paused = true)]
async fn a_cursor_that_is_gone() {
    for gone in [[No, Gone], [Gone, End]] {
        let story = Story::new();
        let follow = scripted(&story, &[&gone, &[Event(41), End]], &[]).from(7);
        let follow = with_pass(&story, follow, 1_000, &[Some(40)]);
        let (lines, _) = followed(&story, follow, 9).await;
        let lines: Vec<&String> = lines.iter().filter(|line| !line.ends_with("drops")).collect();
        assert_eq!(
            lines[..6],
            [
                "0 connects at Some(7)",
                "2 pass begins",
                "5 pass ends",
                "5 connects at Some(40)",
                "5 applies 41",
                "7 connects at Some(41)"
            ]
        );
    }
    let story = Story::new();
    let follow = with_pass(&story, scripted(&story, &[&[No, Gone]], &[]).from(7), 1_000, &[]);
    let (lines, told) = followed(&story, follow, 14).await;
    assert_eq!(lines.iter().filter(|line| line.contains("connects")).count(), 1, "{lines:?}");
    assert_eq!(told[1], "failed: a full pass failed, again in Some(2s)");
}

/// WF-06: without a pass there is no honest way on: the task fails and names the cursor.
#[tokio::test(start_paused = true)]
async fn gone_without_a_pass() {
    let story = Story::new();
    let (lines, _) = followed(&story, scripted(&story, &[&[No, Gone]], &[]).from(7), 9).await;
    assert_eq!(
        lines.last().unwrap(),
        "0 task `feed` failed: what came after the cursor Some(7) is gone, and there is no full pass to make"
    );
}

/// WF-07: a connection that gives nothing for the idle limit, or does not come about in it, is taken for dead; one with
/// keep-alives is not.
#[tokio::test(start_paused = true)]
async fn idle() {
    let story = Story::new();
    let alive: &[Step] = &[Nap(59), KeepAlive, Nap(59), KeepAlive, Nap(59), Event(1)];
    let (lines, told) = followed(&story, scripted(&story, &[alive, &[Never]], &[]), 290).await;
    let connects: Vec<&String> = lines.iter().filter(|line| line.contains("connects")).collect();
    assert_eq!(connects, ["0 connects at None", "239 connects at Some(1)"], "{lines:?}");
    assert_eq!(told, ["failed: nothing came for 60s, again in Some(2s)"]);
    let story = Story::new();
    let follow = scripted(&story, &[&[Never], &[Never]], &[]).idle_limit(5 * SECOND);
    let (_, told) = followed(&story, follow, 13).await;
    assert_eq!(told.len(), 2, "{told:?}");
}

/// WF-03: settings that cannot be used are refused, by name, value and rule, and nothing is connected.
#[tokio::test(start_paused = true)]
async fn settings() {
    let (story, runner) = (Story::new(), runner());
    let shrinking = Backoff::exponential(2 * SECOND, SECOND);
    let refused = |set: &dyn Fn(Follow<Scripted>) -> Follow<Scripted>| {
        runner.follow("feed", set(scripted(&story, &[], &[]))).unwrap_err().to_string()
    };
    for (error, field) in [
        (refused(&|follow| follow.apply_attempts(0)), "apply_attempts"),
        (refused(&|follow| follow.idle_limit(Duration::ZERO)), "idle_limit"),
        (refused(&|follow| follow.wait_between(SECOND, SECOND - MS)), "wait_between"),
        (refused(&|follow| follow.backoff(shrinking)), "backoff"),
        (refused(&|follow| with_pass(&story, follow, 0, &[])), "resync"),
    ] {
        assert!(error.contains("feed") && error.contains(field), "{error}");
    }
    let task = || Task::follow("feed", scripted(&story, &[], &[]));
    assert!(runner.start(task().essential()).unwrap_err().to_string().contains("essential"));
    assert!(runner.start(task().server()).unwrap_err().to_string().contains("graceful_if"));
    assert!(runner.follow("", scripted(&story, &[], &[])).unwrap_err().to_string().contains("name"));
    assert_eq!(story.lines(), [""; 0]);
    runner.task("fails", |_| async { Err::<(), BoxError>("x".into()) }).unwrap();
    assert_eq!(wrong(runner.run().await).len(), 1);
}
