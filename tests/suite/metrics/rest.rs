//! The events of tasks and fallbacks.

use seaworthy::{BoxError, Fallback, Rejected};

use super::Diary;

/// ME-19: a fallback reports its creation, and each call that falls back; one that it does not cover is not reported.
#[tokio::test]
async fn a_fallback() {
    for (wants_calls, first) in [(true, &["f built"][..]), (false, &[])] {
        let diary = Diary::new(wants_calls);
        let layer = Fallback::value("f", 7).observer(diary.clone()).build().unwrap();
        assert_eq!(diary.take(), first);
        layer.run(async { Ok::<_, BoxError>(1) }).await.unwrap();
        assert!(layer.run(async { Err::<u32, BoxError>("down".into()) }).await.is_err());
        assert_eq!(diary.take(), [""; 0]);
        let rejected = Rejected::NotReady { reason: "x".into(), retry_after: None.into() };
        assert_eq!(layer.run(async { Err::<u32, BoxError>(rejected.into()) }).await.unwrap(), 7);
        assert_eq!(diary.take(), ["f fell back: not ready: x"]);
    }
}

#[cfg(feature = "lifecycle")]
mod tasks {
    use seaworthy::runner::RestartPolicy;
    use seaworthy::{Backoff, BoxError, Jitter, Runner, Shutdown};

    use super::super::Diary;
    use crate::support::SECOND;

    fn runner(diary: &Diary) -> Runner {
        Runner::builder().signals([]).observer(diary.clone()).build().unwrap()
    }

    /// ME-17: each task reports its creation, each run that fails, and once its end, before the runner's run is over; a
    /// wait is not an end.
    #[tokio::test(start_paused = true)]
    async fn of_a_runner() {
        let diary = Diary::new(true);
        let runner = runner(&diary);
        runner.task("good", async |_: Shutdown| Ok::<_, BoxError>(())).unwrap();
        let restart = RestartPolicy::new(Backoff::constant(SECOND).jitter(Jitter::None));
        let mut runs = 0;
        let supervised = move |shutdown: Shutdown| {
            runs += 1;
            let run = runs;
            async move {
                match run {
                    1 => Err(BoxError::from("down")),
                    2 => panic!("on purpose"),
                    _ => {
                        shutdown.requested().await;
                        Ok(())
                    }
                }
            }
        };
        runner.supervise("again", restart, supervised).unwrap();
        assert_eq!(diary.take(), ["good started", "again started"]);
        crate::support::pass(SECOND).await;
        assert_eq!(diary.take(), ["good ended", "again failed Some(1s)", "again panicked Some(1s)"]);
        crate::support::pass(SECOND).await;
        assert_eq!(diary.take(), [""; 0]);
        let bad = async |_: Shutdown| Err::<(), BoxError>("for good".into());
        runner.task("bad", bad).unwrap();
        assert!(runner.run().await.is_err());
        assert_eq!(diary.take(), ["bad started", "bad failed None", "bad ended", "again ended"]);
    }

    /// ME-17: one that is aborted, or is left when the runner is dropped, has ended, too.
    #[tokio::test(start_paused = true)]
    async fn that_are_dropped() {
        let diary = Diary::new(true);
        let runner = runner(&diary);
        runner.task("stuck", async |_: Shutdown| std::future::pending::<Result<(), BoxError>>().await).unwrap();
        crate::support::pass(SECOND).await;
        drop(runner);
        crate::support::pass(SECOND).await;
        assert_eq!(diary.take(), ["stuck started", "stuck ended"]);
    }

    /// ME-17: an observer that does not want events of calls hears of failures only.
    #[tokio::test(start_paused = true)]
    async fn for_who_does_not_want_calls() {
        let diary = Diary::new(false);
        let runner = runner(&diary);
        runner.task("bad", async |_: Shutdown| Err::<(), BoxError>("for good".into())).unwrap();
        assert!(runner.run().await.is_err());
        assert_eq!(diary.take(), ["bad failed None"]);
    }
}
