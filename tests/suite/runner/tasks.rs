//! What a task is, and what its end does to the run.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use seaworthy::runner::{Failure, FailureCause, RegisterError, Task};
use seaworthy::{BoxError, Runner};

use super::{Result, Story, after, builder, nap, runner, stop_after, wrong};
use crate::support::{SECOND, now};

/// RN-01: it starts at once, not with `run`.
#[tokio::test(start_paused = true)]
async fn starts_at_once() {
    let story = Story::new();
    let runner = runner();
    runner.task("a", story.worker("a", Duration::ZERO)).unwrap();
    assert!(story.lines().is_empty(), "not on the caller's time");
    nap(SECOND).await;
    assert_eq!(story.lines(), ["0 a starts"]);
    assert_eq!(runner.handle().tasks().len(), 1);
}

/// RN-01: also while it runs, and from another task; the last moment is before the shutdown begins.
#[tokio::test(start_paused = true)]
async fn registered_while_it_runs() {
    let story = Story::new();
    let runner = builder().drain_delay(SECOND).build().unwrap();
    let telling = story.clone();
    after(&runner, SECOND, async move |handle| {
        handle.task("late", telling.worker("late", SECOND)).unwrap();
        handle.stop();
        tokio::task::yield_now().await;
        let too_late = |result| match result {
            Err(RegisterError::ShuttingDown { name, .. }) => assert_eq!(name, "too late"),
            other => panic!("{other:?}"),
        };
        too_late(handle.task("too late", telling.worker("too late", SECOND)));
        too_late(
            handle.supervise("too late", seaworthy::runner::RestartPolicy::default(), |_| async { Result::Ok(()) }),
        );
        too_late(handle.every("too late", SECOND, |_| async { Result::Ok(()) }));
        too_late(handle.on_stop("too late", telling.hook("too late", SECOND)));
        too_late(handle.cleanup("too late", telling.hook("too late", SECOND)));
        telling.tell("refused");
    });
    let handle = runner.handle();
    assert!(runner.run().await.is_ok());
    let expected = ["1 late starts", "1 refused", "2 late is told", "3 late is done", "3 late is gone"];
    assert_eq!(story.lines(), expected);
    // And when it is all over.
    assert!(matches!(handle.task("after", async |_| Result::Ok(())), Err(RegisterError::ShuttingDown { .. })));
}

/// RN-02: one that succeeds does not end the run, unless it is essential.
#[tokio::test(start_paused = true)]
async fn essential() {
    for essential in [false, true] {
        let runner = runner();
        let work = Task::new("import", async |_| {
            nap(2 * SECOND).await;
            Result::Ok(())
        });
        runner.start(if essential { work.essential() } else { work }).unwrap();
        stop_after(&runner, 7 * SECOND);
        let begin = now();
        assert!(runner.run().await.is_ok());
        assert_eq!((now() - begin).as_secs(), if essential { 2 } else { 7 });
    }
}

/// RN-02, RN-05: one that fails ends the run, and its error can be found in the result.
#[tokio::test(start_paused = true)]
async fn failing() {
    let story = Story::new();
    let runner = runner();
    runner.task("other", story.worker("other", SECOND)).unwrap();
    runner
        .task("http", async |_| {
            nap(SECOND).await;
            Err(io::Error::new(io::ErrorKind::AddrInUse, "port taken"))
        })
        .unwrap();
    let error = runner.run().await.unwrap_err();
    assert_eq!(story.lines(), ["0 other starts", "1 other is told", "2 other is done", "2 other is gone"]);
    assert_eq!(error.to_string(), "task `http` failed: port taken");
    assert_eq!(error.first().name().unwrap(), "http");
    let Failure::Task { cause: FailureCause::Error(_), .. } = error.first() else { panic!("{error:?}") };
    // ER-02: the text includes it, so it is not a source as well.
    assert!(error.source().is_none() && error.first().source().is_none());
    let Some(FailureCause::Error(source)) = error.first().cause() else { panic!("{error:?}") };
    let source: &io::Error = source.downcast_ref().unwrap();
    assert_eq!(source.kind(), io::ErrorKind::AddrInUse);
}

/// RN-02: it may have failed long before `run`.
#[tokio::test(start_paused = true)]
async fn failed_before_the_run() {
    let runner = runner();
    runner.task("a", async |_| Err::<(), BoxError>("early".into())).unwrap();
    nap(SECOND).await;
    let begin = now();
    assert_eq!(wrong(runner.run().await), ["task `a` failed: early"]);
    assert_eq!(now(), begin);
}

/// RN-06: a panic is a failure with its message, at any point of a task's life.
#[tokio::test(start_paused = true)]
async fn panics() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }
    type Start = fn(&Runner);
    let start: [(&str, Start); 5] = [
        ("before its future", |runner| {
            let work = |_| -> std::future::Ready<Result> { panic!("before its future") };
            runner.task("a", work).unwrap();
        }),
        ("at once", |runner| runner.task("a", async |_| -> Result { panic!("at once") }).unwrap()),
        ("later", |runner| {
            let work = async |_| -> Result {
                nap(SECOND).await;
                panic!("{}", "later")
            };
            runner.task("a", work).unwrap();
        }),
        ("when told", |runner| {
            runner.handle().stop();
            let work = async |shutdown: seaworthy::Shutdown| -> Result {
                shutdown.requested().await;
                panic!("when told")
            };
            runner.task("a", work).unwrap();
        }),
        ("in drop", |runner| {
            let bomb = Bomb;
            let work = async move |_| {
                let _bomb = &bomb;
                Result::Ok(())
            };
            runner.task("a", work).unwrap();
        }),
    ];
    for (message, start) in start {
        let runner = runner();
        start(&runner);
        assert_eq!(wrong(runner.run().await), [format!("task `a` panicked: {message}")]);
    }
}

/// RN-06: one that panics while it is aborted has panicked.
#[tokio::test(start_paused = true)]
async fn panics_when_aborted() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("aborted");
        }
    }
    let runner = builder().grace_period(SECOND).build().unwrap();
    for supervised in [false, true] {
        let work = |_| async {
            let _bomb = Bomb;
            std::future::pending::<Result>().await
        };
        let task = match supervised {
            false => Task::new("plain", work),
            true => Task::supervised("supervised", seaworthy::runner::RestartPolicy::default(), work),
        };
        runner.start(task).unwrap();
    }
    runner.handle().stop();
    // Let them begin; one that never began has no bomb.
    tokio::task::yield_now().await;
    assert_eq!(wrong(runner.run().await), ["task `plain` panicked: aborted", "task `supervised` panicked: aborted"]);
}

/// RN-12: after the shutdown was requested, a server's closed connection and cancelled work count as success; before
/// it, and for tasks that are not servers, they are failures.
#[tokio::test(start_paused = true)]
async fn graceful_close() {
    let closed = || io::Error::from(io::ErrorKind::ConnectionAborted);
    let ends = |told: bool| {
        move |shutdown: seaworthy::Shutdown| async move {
            if told {
                shutdown.requested().await;
            }
            Err::<(), _>(closed())
        }
    };
    for (task, fine) in [
        (Task::new("told server", ends(true)).server(), true),
        (Task::new("plain", ends(true)), false),
        (Task::new("untold server", ends(false)).server(), false),
        (Task::new("by rule", ends(true)).graceful_if(|error| error.is::<io::Error>()), true),
        (Task::new("not by rule", ends(true)).graceful_if(|_| false), false),
        (Task::supervised("supervised", seaworthy::runner::RestartPolicy::default(), ends(true)).server(), true),
        (Task::supervised("plain supervised", seaworthy::runner::RestartPolicy::default(), ends(true)), false),
    ] {
        let (runner, text) = (runner(), format!("{task:?}"));
        runner.start(task).unwrap();
        stop_after(&runner, SECOND);
        assert_eq!(runner.run().await.is_ok(), fine, "{text}");
    }
}

/// RN-12: a tokio task that was cancelled counts as success after the shutdown was requested, for every task. A panic
/// in the rule is the task's.
#[tokio::test(start_paused = true)]
async fn cancelled_work() {
    let runner = runner();
    runner
        .task("joiner", async |shutdown| {
            let inner = tokio::spawn(std::future::pending::<()>());
            shutdown.requested().await;
            inner.abort();
            inner.await
        })
        .unwrap();
    runner.handle().stop();
    assert!(runner.run().await.is_ok());

    let runner = super::runner();
    let work = async |shutdown: seaworthy::Shutdown| {
        shutdown.requested().await;
        Err::<(), BoxError>("x".into())
    };
    runner.start(Task::new("ruled", work).graceful_if(|_| panic!("no rule"))).unwrap();
    runner.handle().stop();
    assert_eq!(wrong(runner.run().await), ["task `ruled` panicked: no rule"]);
}
