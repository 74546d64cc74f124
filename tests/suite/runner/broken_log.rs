//! A subscriber that panics, as one does that reports its broken pipe to a stderr that is gone, too.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use seaworthy::runner::RestartPolicy;
use seaworthy::{Backoff, BoxError, Phase};
use tracing::span;

use super::{Result, Story, builder, nap, stop_after, wrong};
use crate::support::{SECOND, listen};

struct Broken(Arc<AtomicU64>);

impl tracing::Subscriber for Broken {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("seaworthy")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
        panic!("the pipe is broken");
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// Something of each kind happens.
async fn run(story: &Story) -> (Vec<String>, Phase) {
    let runner = builder().drain_delay(SECOND).grace_period(2 * SECOND).build().unwrap();
    let handle = runner.handle();
    runner.startup("migrate", async |_| Result::Ok(())).unwrap();
    runner.task("stuck", |_| std::future::pending::<Result>()).unwrap();
    runner.every("sweep", 10 * SECOND, async |_| Err::<(), BoxError>("lost".into())).unwrap();
    let restart = RestartPolicy::new(Backoff::constant(SECOND)).max_restarts(1);
    runner.supervise("feed", restart, async |_| Err::<(), BoxError>("torn".into())).unwrap();
    runner.on_stop("farewell", async || Err::<(), BoxError>("deaf".into())).unwrap();
    runner.cleanup("last", story.hook("last", SECOND)).unwrap();
    runner.cleanup("pool", async || Err::<(), BoxError>("leak".into())).unwrap();
    stop_after(&runner, 60 * SECOND);
    (wrong(runner.run().await), handle.health().phase())
}

/// RN-04, RN-05: it prevents no restart, no report of a failure and no hook, and the result is complete.
#[tokio::test(start_paused = true)]
async fn is_survived() {
    let lines = Arc::new(AtomicU64::new(0));
    let _default = listen(Broken(Arc::clone(&lines)));
    let story = Story::new();
    let (failures, phase) = run(&story).await;
    assert_eq!(
        failures,
        [
            "task `feed` failed: torn",
            "stop hook `farewell` failed: deaf",
            "task `stuck` was aborted",
            "cleanup `pool` failed: leak",
        ]
    );
    assert_eq!(phase, Phase::Stopped);
    let ends: Vec<_> = story.lines();
    assert_eq!(ends.last().map(String::as_str), Some("5 last ends"), "{ends:?}");
    assert!(lines.load(Ordering::Relaxed) > 8, "{lines:?}");
}

/// The same if the run is dropped by a panic, which a second one would turn into an abort of the process.
#[tokio::test(start_paused = true)]
async fn while_it_unwinds() {
    let lines = Arc::new(AtomicU64::new(0));
    let _default = listen(Broken(Arc::clone(&lines)));
    let runner = builder().build().unwrap();
    runner.task("a", |_| std::future::pending::<Result>()).unwrap();
    let handle = runner.handle();
    let user = tokio::spawn(async move {
        let _runner = runner;
        nap(SECOND).await;
        panic!("the user's");
    });
    assert!(user.await.unwrap_err().is_panic());
    assert_eq!(handle.health().phase(), Phase::Stopped);
}
